// The fetch request and its answer, in protocol version 1 and 2. Bytes in, bytes out: sending is git-remote.ts, reading the pack is objects/.
import { quoteRemote, sourceError } from '../errors.ts';
import { delimiterPacket, flushPacket, PacketReader, packetLine } from './pkt-line.ts';

/** What to fetch. */
export interface FetchRequest {
  readonly wants: readonly string[];
  /** Commits whose whole tree we hold. */
  readonly haves: readonly string[];
  /** Commits whose parents we do not hold. */
  readonly shallow: readonly string[];
  /** Commits of history counted from the wants; undefined: all. */
  readonly depth: number | undefined;
  /** Leave trees and files out where the server can. */
  readonly commitsOnly: boolean;
}

/** A complete answer. */
export interface FetchedPack {
  readonly pack: Buffer;
  /** Commits whose parents the server left out. */
  readonly shallow: readonly string[];
}

const agent = 'agent=setpoint/0.1';

/** The body of a fetch request. */
export function fetchRequestBody(request: FetchRequest, version: 1 | 2, capabilities: ReadonlyMap<string, string>): Buffer {
  return Buffer.from(version === 2 ? bodyOfVersion2(request, capabilities) : bodyOfVersion1(request, capabilities));
}

function bodyOfVersion2(request: FetchRequest, capabilities: ReadonlyMap<string, string>): string {
  const features = (capabilities.get('fetch') ?? '').split(' ');
  return [
    ...['command=fetch', agent, ...objectFormat(capabilities)].map(packetLine),
    delimiterPacket,
    ...['thin-pack', 'ofs-delta', 'no-progress'].map(packetLine),
    ...request.shallow.map((oid) => packetLine(`shallow ${oid}`)),
    ...(request.depth === undefined ? [] : [packetLine(`deepen ${request.depth}`)]),
    ...(request.commitsOnly && features.includes('filter') ? [packetLine('filter tree:0')] : []),
    ...request.wants.map((oid) => packetLine(`want ${oid}`)),
    ...request.haves.map((oid) => packetLine(`have ${oid}`)),
    packetLine('done'),
    flushPacket,
  ].join('');
}

function bodyOfVersion1(request: FetchRequest, capabilities: ReadonlyMap<string, string>): string {
  const wished = ['multi_ack_detailed', 'side-band-64k', 'thin-pack', 'ofs-delta', 'no-progress'];
  const filter = request.commitsOnly && capabilities.has('filter');
  const words = [...wished.filter((name) => capabilities.has(name)), ...(filter ? ['filter'] : []), agent].join(' ');
  return [
    ...request.wants.map((oid, index) => packetLine(index === 0 ? `want ${oid} ${words}` : `want ${oid}`)),
    ...request.shallow.map((oid) => packetLine(`shallow ${oid}`)),
    ...(request.depth === undefined ? [] : [packetLine(`deepen ${request.depth}`)]),
    ...(filter ? [packetLine('filter tree:0')] : []),
    flushPacket,
    ...request.haves.map((oid) => packetLine(`have ${oid}`)),
    packetLine('done'),
  ].join('');
}

/** The line that tells version 2 servers which hash is spoken, when they ask for it. */
export function objectFormat(capabilities: ReadonlyMap<string, string>): string[] {
  return capabilities.has('object-format') ? ['object-format=sha1'] : [];
}

/** Reads a fetch answer to its end. Throws `FetchFailed` unless it is complete. */
export function parseFetchResponse(body: Buffer, request: FetchRequest, version: 1 | 2, attempt: string): FetchedPack {
  const reader = new PacketReader(body, attempt);
  const shallow = version === 2 ? readSections(reader) : readShallowLines(reader, request);
  const pack = readSideband(reader, version, attempt);
  reader.requireEnd();
  return { pack, shallow };
}

/** Version 2: named sections up to `packfile`. */
function readSections(reader: PacketReader): string[] {
  const shallow: string[] = [];
  for (;;) {
    const line = reader.nextText();
    if (line === 'packfile') return shallow;
    if (line === 'flush' || line === 'response-end') throw reader.failure('the answer holds no pack');
    if (line.startsWith('shallow ')) shallow.push(line.slice('shallow '.length));
  }
}

/** Version 1: shallow lines and a flush, only when depth was asked for; the ACK and NAK lines that follow are skipped by readSideband. */
function readShallowLines(reader: PacketReader, request: FetchRequest): string[] {
  if (request.depth === undefined) return [];
  return reader.linesToFlush().flatMap((line) => (line.startsWith('shallow ') ? [line.slice('shallow '.length)] : []));
}

const packBand = 1;
const errorBand = 3;

function readSideband(reader: PacketReader, version: 1 | 2, attempt: string): Buffer {
  const chunks: Buffer[] = [];
  let acknowledged = version === 2;
  for (;;) {
    const packet = reader.next();
    if (packet === 'flush') break;
    if (typeof packet === 'string') throw reader.failure(`unexpected ${packet}`);
    if (!acknowledged && /^(?:NAK|ACK )/.test(packet.toString('latin1', 0, 4))) continue;
    acknowledged = true;
    const band = packet[0];
    if (band === errorBand) {
      throw sourceError('FetchFailed', `${attempt}: the server says ${quoteRemote(packet.toString('utf8', 1))}`, {
        hint: 'see the log of the Git server',
      });
    }
    if (band === packBand) chunks.push(packet.subarray(1));
    else if (band !== 2) throw reader.failure('the answer is not in side-band format');
  }
  return Buffer.concat(chunks);
}
