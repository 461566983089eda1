// How an inventory is cut into chunks and how one chunk is written down. Pure; reading and writing chunks is in inventory-store.ts.
import { OperatorError } from '../model/error.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, sha256 } from '../model/json.ts';
import { compareRefs, keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Baseline } from '../model/observed.ts';

/** Version of the stored form. An operator refuses a higher one: it cannot know what it would lose. */
export const inventorySchemaVersion = 1;

/** Entries and bytes at which a chunk is split: small, for one changed entry rewrites its chunk. etcd refuses objects over 1.5 MiB. */
const maxChunkEntries = 160;
const maxChunkBytes = 400_000;

/** One stored chunk. */
export interface InventoryChunk {
  readonly index: number;
  /** How many chunks there were when it was written: a power of two. */
  readonly of: number;
  readonly entries: readonly InventoryEntry[];
}

/** The chunk an object belongs to. Stable: doubling the count moves an object only to its own index or to index + count. */
export function chunkIndex(key: ObjectKey, count: number): number {
  return Number.parseInt(sha256(key, 8), 16) % count;
}

/** Whether a chunk must be split before it grows further. */
export function isTooLarge(entries: ReadonlyMap<ObjectKey, InventoryEntry>): boolean {
  if (entries.size > maxChunkEntries) return true;
  let bytes = 0;
  for (const entry of entries.values()) bytes += entryText(entry).length;
  return bytes > maxChunkBytes;
}

/** The text of one entry: equal entries, equal text. */
export function entryText(entry: InventoryEntry): string {
  return canonicalJson(formatEntry(entry));
}

/** A chunk as members of the stored object. Entries are texts: the API server takes a chunk of them several times faster than one of objects. */
export function formatChunk(chunk: InventoryChunk): JsonObject {
  const sorted = [...chunk.entries].sort((left, right) => compareRefs(left.ref, right.ref));
  const entries = sorted.map(entryText);
  return { schemaVersion: inventorySchemaVersion, chunk: { index: chunk.index, of: chunk.of }, digest: digestOf(entries), entries };
}

/** Tells entries that somebody edited or lost from those that were written. */
function digestOf(entries: readonly JsonValue[]): string {
  return sha256(canonicalJson(entries), 16);
}

/** Whether a stored chunk is in a form that only a newer operator knows: then it is not damaged, and not ours to repair. */
export function isOfNewerForm(object: JsonObject): boolean {
  const version = object['schemaVersion'];
  return typeof version === 'number' && version > inventorySchemaVersion;
}

/** A stored chunk. Throws OperatorError `InventoryCorrupt`. */
export function parseChunk(object: JsonObject, name: string): InventoryChunk {
  const version = object['schemaVersion'];
  if (version !== inventorySchemaVersion) {
    const isNewer = isOfNewerForm(object);
    throw corrupt(
      name,
      isNewer ? `it was written by a newer operator (schemaVersion ${version})` : `its schemaVersion is ${JSON.stringify(version ?? null)}`,
      isNewer ? 'run the newer operator' : undefined,
    );
  }
  const { index, of } = isJsonObject(object['chunk']) ? object['chunk'] : {};
  if (typeof index !== 'number' || typeof of !== 'number' || index < 0 || index >= of)
    throw corrupt(name, 'it does not say which chunk it is');
  const entries = Array.isArray(object['entries']) ? (object['entries'] as readonly JsonValue[]) : [];
  const parsed = entries.map((entry, position) => parseEntry(parseText(entry), `${name} entry ${position}`));
  // Chunks written before there was a digest have none.
  if (object['digest'] !== undefined && object['digest'] !== digestOf(entries))
    throw corrupt(name, 'its entries are not those that were written');
  return { index, of, entries: parsed };
}

/**
 * The entries of all chunks together.
 * Throws OperatorError `InventoryCorrupt` when a chunk is missing. While chunks are split some of the new ones may not exist yet; then the
 * old chunk still holds their entries and says so by its smaller count.
 */
export function joinChunks(chunks: readonly InventoryChunk[], name: string): Map<ObjectKey, InventoryEntry> {
  const byIndex = new Map(chunks.map((chunk) => [chunk.index, chunk]));
  const count = chunks.reduce((most, chunk) => Math.max(most, chunk.of), 0);
  for (let index = 0; index < count; index += 1) {
    if (!isCovered(index, count, byIndex)) throw corrupt(name, `chunk ${index} of ${count} is missing`);
  }
  const entries = new Map<ObjectKey, InventoryEntry>();
  // Where an entry is in two chunks, the one of the higher count is newer.
  for (const chunk of [...chunks].sort((left, right) => left.of - right.of || left.index - right.index)) {
    for (const entry of chunk.entries) entries.set(keyOf(entry.ref), entry);
  }
  return entries;
}

function isCovered(index: number, count: number, byIndex: ReadonlyMap<number, InventoryChunk>): boolean {
  if (byIndex.has(index)) return true;
  for (let of = count / 2; of >= 1; of /= 2) {
    const ancestor = byIndex.get(index % of);
    if (ancestor !== undefined && ancestor.of <= of) return true;
  }
  return false;
}

function formatEntry(entry: InventoryEntry): JsonObject {
  const { ref, baseline } = entry;
  return {
    v: ref.apiVersion,
    k: ref.kind,
    ...(ref.namespace === '' ? {} : { ns: ref.namespace }),
    n: ref.name,
    ...(entry.uid === '' ? {} : { u: entry.uid }),
    ...(entry.digest === '' ? {} : { d: entry.digest }),
    ...(entry.constructPath === '' ? {} : { c: entry.constructPath }),
    ...(entry.position === '' ? {} : { p: entry.position }),
    ...(entry.revision === '' ? {} : { r: entry.revision }),
    ...(entry.lost === true ? { l: true } : {}),
    ...(baseline === undefined ? {} : { b: formatBaseline(baseline, entry.uid) }),
  };
}

function formatBaseline(baseline: Baseline, uid: string): JsonObject {
  return {
    ...(baseline.uid === uid ? {} : { u: baseline.uid }),
    rv: baseline.resourceVersion,
    ...(baseline.generation === undefined ? {} : { g: baseline.generation }),
    f: baseline.fieldsHash,
    ...(baseline.time === undefined ? {} : { t: baseline.time }),
  };
}

/** Undefined for what is no JSON text. */
function parseText(text: JsonValue): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function parseEntry(value: unknown, where: string): InventoryEntry {
  if (!isJsonObject(value) || !isText(value['v']) || !isText(value['k']) || !isText(value['n']))
    throw corrupt(where, 'it does not name an object');
  const uid = textOf(value['u']);
  const baseline = isJsonObject(value['b']) ? parseBaseline(value['b'], uid) : undefined;
  return {
    ref: { apiVersion: value['v'], kind: value['k'], namespace: textOf(value['ns']), name: value['n'] },
    uid,
    digest: textOf(value['d']),
    constructPath: textOf(value['c']),
    position: textOf(value['p']),
    revision: textOf(value['r']),
    ...(value['l'] === true ? { lost: true } : {}),
    ...(baseline === undefined ? {} : { baseline }),
  };
}

function parseBaseline(value: JsonObject, uid: string): Baseline {
  return {
    uid: isText(value['u']) ? value['u'] : uid,
    resourceVersion: textOf(value['rv']),
    ...(typeof value['g'] === 'number' ? { generation: value['g'] } : {}),
    fieldsHash: textOf(value['f']),
    ...(isText(value['t']) ? { time: value['t'] } : {}),
  };
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function corrupt(
  what: string,
  why: string,
  hint = 'it is made again from the marks on live objects; nothing is pruned meanwhile',
): OperatorError {
  return new OperatorError(`read Inventory ${what}: ${why}`, { code: 'InventoryCorrupt', stage: 'cluster', fate: 'terminal', hint });
}
