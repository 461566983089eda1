// What a Git server offers: the answer to info/refs in protocol version 0, 1 or 2, and to ls-refs. Pure parsing, strict about the end.
import { PacketReader } from './pkt-line.ts';

/** A ref on the server. */
export interface AdvertisedRef {
  readonly name: string;
  readonly oid: string;
  /** What an annotated tag finally points to. */
  readonly peeled?: string;
  /** For a symbolic ref such as HEAD: the ref it names. */
  readonly target?: string;
}

/** Refs by name. `unbornHead`: the branch HEAD names though it has no commit. */
export interface RefList {
  readonly refs: ReadonlyMap<string, AdvertisedRef>;
  readonly unbornHead?: string;
}

/** The answer to info/refs. Version 2 only tells capabilities; refs are asked for by ls-refs. */
export type Advertisement =
  | { readonly version: 2; readonly capabilities: ReadonlyMap<string, string> }
  | { readonly version: 1; readonly capabilities: ReadonlyMap<string, string>; readonly list: RefList };

const oidPattern = /^[0-9a-f]{40}$/;
const zeroOid = '0'.repeat(40);

/** Reads the answer to info/refs. Throws `FetchFailed` unless it is complete. */
export function parseAdvertisement(body: Buffer, attempt: string): Advertisement {
  const reader = new PacketReader(body, attempt);
  let lines = reader.linesToFlush();
  if (lines[0]?.startsWith('# service=') === true) {
    if (lines.length !== 1 || lines[0] !== '# service=git-upload-pack') throw reader.failure('the answer is not for git-upload-pack');
    lines = reader.linesToFlush();
  }
  reader.requireEnd();
  if (lines[0] === 'version 2') return { version: 2, capabilities: capabilityMap(lines.slice(1)) };
  if (lines[0] === 'version 1') lines = lines.slice(1);
  return parseVersion1(lines, reader);
}

function parseVersion1(lines: readonly string[], reader: PacketReader): Advertisement {
  const [first = '', capabilityText = ''] = (lines[0] ?? '').split('\0');
  const capabilities = capabilityMap(capabilityText.split(' ').filter((word) => word !== ''));
  const symbolic = new Map(capabilityText.split(' ').flatMap((word) => symref(word)));
  const refs = new Map<string, AdvertisedRef>();
  for (const line of [first, ...lines.slice(1)]) {
    if (line === '' || line.startsWith('shallow ') || line.endsWith(' capabilities^{}')) continue;
    const oid = line.slice(0, 40);
    const name = line.slice(41);
    if (!oidPattern.test(oid) || line[40] !== ' ' || name === '') throw reader.failure('a line of the ref list is not valid');
    const base = name.endsWith('^{}') ? refs.get(name.slice(0, -3)) : undefined;
    const target = symbolic.get(name);
    if (base !== undefined) refs.set(base.name, { ...base, peeled: oid });
    else if (oid !== zeroOid) refs.set(name, { name, oid, ...(target === undefined ? {} : { target }) });
  }
  const unbornHead = refs.has('HEAD') ? undefined : symbolic.get('HEAD');
  return { version: 1, capabilities, list: { refs, ...(unbornHead === undefined ? {} : { unbornHead }) } };
}

function symref(word: string): [string, string][] {
  const match = /^symref=([^:]+):(.+)$/.exec(word);
  return match === null ? [] : [[match[1] ?? '', match[2] ?? '']];
}

function capabilityMap(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const equals = word.indexOf('=');
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

/** Reads the answer to ls-refs. Throws `FetchFailed` unless it is complete. */
export function parseRefList(body: Buffer, attempt: string): RefList {
  const reader = new PacketReader(body, attempt);
  const refs = new Map<string, AdvertisedRef>();
  let unbornHead: string | undefined;
  for (const line of reader.linesToFlush()) {
    const [oid = '', name = '', ...attributes] = line.split(' ');
    const target = attributes.find((word) => word.startsWith('symref-target:'))?.slice('symref-target:'.length);
    const peeled = attributes.find((word) => word.startsWith('peeled:'))?.slice('peeled:'.length);
    if (oid === 'unborn') {
      if (name === 'HEAD' && target !== undefined) unbornHead = target;
      continue;
    }
    if (!oidPattern.test(oid) || name === '' || (peeled !== undefined && !oidPattern.test(peeled)))
      throw reader.failure('a line of the ref list is not valid');
    refs.set(name, { name, oid, ...(target === undefined ? {} : { target }), ...(peeled === undefined ? {} : { peeled }) });
  }
  reader.requireEnd();
  return { refs, ...(unbornHead === undefined ? {} : { unbornHead }) };
}
