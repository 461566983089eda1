// Inventories as `Inventory` objects owned by their Application, one per chunk. How entries are cut and written down is in inventory-format.ts.
import { apiVersion, trackingLabelValue } from '../../constructs/annotations.ts';
import { type Application, applicationKey } from '../model/application.ts';
import { OperatorError } from '../model/error.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue, sha256 } from '../model/json.ts';
import { keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { InventoryStore } from '../reconcile/ports.ts';
import { statusOf } from './api-error.ts';
import {
  chunkIndex,
  entryText,
  formatChunk,
  type InventoryChunk,
  isOfNewerForm,
  isTooLarge,
  joinChunks,
  parseChunk,
} from './inventory-format.ts';
import type { RestClient } from './rest-client.ts';

/** Label of an Inventory that names its Application, by hash: for listing only, the owner reference decides. */
const ownerLabel = 'setpoint.dev/inventory-of';
const pageSize = 100;

interface StoredChunk {
  /** Undefined until it is stored. */
  readonly resourceVersion?: string;
  readonly entries: ReadonlyMap<ObjectKey, InventoryEntry>;
}

interface Loaded {
  /** How many chunks there are: 0 or a power of two. */
  readonly count: number;
  readonly chunks: ReadonlyMap<number, StoredChunk>;
  /** Chunks to be written although no entry of theirs changes: left over from an interrupted split. */
  readonly stale: ReadonlySet<number>;
}

/** Inventories of one cluster. */
export interface ClusterInventoryStore extends InventoryStore {
  /** Drops what is kept in memory of an Application that is gone. */
  forget(application: Pick<Application, 'uid'>): void;
}

/**
 * Inventories of one cluster, kept in memory once loaded: the operator is their only writer.
 * Guarantees: a write names the version it replaces, so that of two operators one fails (`ApplyConflict`) and reads again; when chunks are
 * split, no entry leaves its old chunk before its new one is stored.
 */
export function createInventoryStore(client: RestClient): ClusterInventoryStore {
  const known = new Map<string, Loaded>();
  const ensure = async (application: Application): Promise<Loaded> => {
    const loaded = known.get(application.uid) ?? (await loadChunks(client, application));
    known.set(application.uid, loaded);
    return loaded;
  };
  return {
    async load(application) {
      const { chunks } = await ensure(application);
      return new Map([...chunks.values()].flatMap((chunk) => [...chunk.entries])) as Inventory;
    },
    async save(application, upsert, remove) {
      const before = await ensure(application);
      const after = split(changed(before, upsert, remove));
      known.delete(application.uid);
      known.set(application.uid, await writeChunks(client, application, after));
    },
    forget: (application) => void known.delete(application.uid),
    async salvage(application) {
      const stored = await listChunks(client, application);
      const newer = stored.find(isOfNewerForm);
      if (newer !== undefined) parseChunk(newer, nameOf(newer));
      return new Map(stored.flatMap(intactEntries).map((entry) => [keyOf(entry.ref), entry]));
    },
    async replace(application, entries) {
      known.delete(application.uid);
      const stored = await listChunks(client, application);
      const versions = new Map<number, string>();
      for (const object of stored) {
        const index = stored.findIndex((_, candidate) => nameOf(object) === chunkName(application, candidate));
        if (index >= 0) versions.set(index, String(metadataOf(object)['resourceVersion']));
        else await removeChunk(client, application, nameOf(object));
      }
      let count = 1;
      while (count < stored.length) count *= 2;
      const chunks = assigned(
        entries.map((entry) => [keyOf(entry.ref), entry]),
        count,
        versions,
      );
      known.set(application.uid, await writeChunks(client, application, split({ count, chunks, stale: new Set(chunks.keys()) })));
    },
  };
}

function intactEntries(object: JsonObject): readonly InventoryEntry[] {
  try {
    return parseChunk(object, nameOf(object)).entries;
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'InventoryCorrupt') return [];
    throw error;
  }
}

/** A chunk that no count of chunks has: left from a larger inventory that is not whole any more, or put there by somebody. */
async function removeChunk(client: RestClient, application: Application, name: string): Promise<void> {
  const path = `${collectionPath(application)}/${encodeURIComponent(name)}`;
  try {
    await client.request({ method: 'DELETE', path, doing: `delete Inventory ${application.namespace}/${name}` });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}

async function loadChunks(client: RestClient, application: Application): Promise<Loaded> {
  const found: InventoryChunk[] = [];
  const versions = new Map<number, string>();
  for (const object of await listChunks(client, application)) {
    const chunk = parseChunk(object, `${application.namespace}/${nameOf(object)}`);
    found.push(chunk);
    versions.set(chunk.index, String(metadataOf(object)['resourceVersion']));
  }
  const count = found.reduce((most, chunk) => Math.max(most, chunk.of), 0);
  const chunks = assigned(joinChunks(found, applicationKey(application)), count, versions);
  const asStored = new Set(
    found
      .filter((chunk) => chunk.of === count && chunk.entries.length === chunks.get(chunk.index)?.entries.size)
      .map((chunk) => chunk.index),
  );
  return { count, chunks, stale: new Set([...chunks.keys()].filter((index) => !asStored.has(index))) };
}

/** The Inventory objects of an Application as they are stored. */
async function listChunks(client: RestClient, application: Application): Promise<readonly JsonObject[]> {
  const objects: JsonObject[] = [];
  let token = '';
  do {
    const page = await client.request({
      method: 'GET',
      path: collectionPath(application),
      query: {
        labelSelector: `${ownerLabel}=${trackingLabelValue(application)}`,
        limit: String(pageSize),
        ...(token === '' ? {} : { continue: token }),
      },
      doing: `read the inventory of Application ${applicationKey(application)}`,
    });
    objects.push(
      ...listOf(page['items'])
        .filter(isJsonObject)
        .filter((object) => isOwnedBy(object, application)),
    );
    token = String(metadataOf(page)['continue'] ?? '');
  } while (token !== '');
  return objects;
}

/** Entries dealt out to `count` chunks. */
function assigned(
  entries: Iterable<readonly [ObjectKey, InventoryEntry]>,
  count: number,
  versions: ReadonlyMap<number, string>,
): Map<number, StoredChunk> {
  const dealt = Array.from({ length: count }, () => new Map<ObjectKey, InventoryEntry>());
  for (const [key, entry] of entries) dealt[chunkIndex(key, count)]?.set(key, entry);
  return new Map(dealt.map((members, index) => [index, chunkWith(members, versions.get(index))]));
}

function chunkWith(entries: ReadonlyMap<ObjectKey, InventoryEntry>, resourceVersion: string | undefined): StoredChunk {
  return { entries, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

/** The chunks after a change; those that must be written are `stale`. */
function changed(before: Loaded, upsert: readonly InventoryEntry[], remove: readonly ObjectKey[]): Loaded {
  const count = Math.max(1, before.count);
  const touched = new Map<number, Map<ObjectKey, InventoryEntry>>();
  const entriesOf = (key: ObjectKey): Map<ObjectKey, InventoryEntry> => {
    const index = chunkIndex(key, count);
    const entries = touched.get(index) ?? new Map(before.chunks.get(index)?.entries);
    touched.set(index, entries);
    return entries;
  };
  const current = (key: ObjectKey): InventoryEntry | undefined => before.chunks.get(chunkIndex(key, count))?.entries.get(key);
  for (const key of remove) if (current(key) !== undefined) entriesOf(key).delete(key);
  for (const entry of upsert) {
    const key = keyOf(entry.ref);
    const same = current(key);
    if (same === undefined || touched.has(chunkIndex(key, count)) || entryText(same) !== entryText(entry)) entriesOf(key).set(key, entry);
  }
  const chunks = new Map(before.chunks);
  for (const [index, entries] of touched) chunks.set(index, chunkWith(entries, before.chunks.get(index)?.resourceVersion));
  return { count: chunks.size === 0 ? 0 : count, chunks, stale: new Set([...before.stale, ...touched.keys()]) };
}

/** Doubles the number of chunks until each is small enough. */
function split(loaded: Loaded): Loaded {
  const full = [...loaded.stale].some((index) => isTooLarge(loaded.chunks.get(index)?.entries ?? new Map()));
  if (!full) return loaded;
  const versions = new Map(
    [...loaded.chunks].flatMap(([index, { resourceVersion }]) =>
      resourceVersion === undefined ? [] : [[index, resourceVersion] as const],
    ),
  );
  const chunks = assigned(
    [...loaded.chunks.values()].flatMap((chunk) => [...chunk.entries]),
    loaded.count * 2,
    versions,
  );
  return split({ count: loaded.count * 2, chunks, stale: new Set(chunks.keys()) });
}

/** New chunks first: only when they are stored may entries leave the old ones. */
async function writeChunks(client: RestClient, application: Application, loaded: Loaded): Promise<Loaded> {
  const chunks = new Map(loaded.chunks);
  const write = async (index: number): Promise<void> => {
    const { entries, resourceVersion } = chunks.get(index) ?? { entries: new Map() };
    const body = formatChunk({ index, of: loaded.count, entries: [...entries.values()] });
    chunks.set(index, chunkWith(entries, await writeChunk(client, application, index, body, resourceVersion)));
  };
  const isNew = (index: number): boolean => loaded.chunks.get(index)?.resourceVersion === undefined;
  await settleAll([...loaded.stale].filter(isNew).map(write));
  await settleAll([...loaded.stale].filter((index) => !isNew(index)).map(write));
  return { count: loaded.count, chunks, stale: new Set() };
}

/** Waits for all, then throws the first failure: no write is left running behind the caller's back. */
async function settleAll(writes: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function writeChunk(
  client: RestClient,
  application: Application,
  index: number,
  body: JsonObject,
  before: string | undefined,
): Promise<string> {
  const name = chunkName(application, index);
  const doing = `write Inventory ${application.namespace}/${name}`;
  const path = collectionPath(application);
  const object = {
    apiVersion,
    kind: 'Inventory',
    metadata: {
      name,
      namespace: application.namespace,
      labels: { [ownerLabel]: trackingLabelValue(application) },
      ownerReferences: [
        { apiVersion, kind: 'Application', name: application.name, uid: application.uid, controller: true, blockOwnerDeletion: false },
      ],
      ...(before === undefined ? {} : { resourceVersion: before }),
    },
    ...body,
  };
  try {
    const answer = await client.request(
      before === undefined
        ? { method: 'POST', path, body: object, doing }
        : { method: 'PUT', path: `${path}/${name}`, body: object, doing },
    );
    return String(metadataOf(answer)['resourceVersion']);
  } catch (error) {
    if (statusOf(error) !== 409 && statusOf(error) !== 404) throw error;
    throw new OperatorError(`${doing}: somebody else wrote it or its namespace is gone`, {
      code: 'ApplyConflict',
      stage: 'cluster',
      fate: 'transient',
      cause: error,
      hint: 'it is read again at the next try; make sure that only one operator serves the Application',
    });
  }
}

/** `<application>-<chunk>`; a name that would be too long is cut and told apart by a hash. */
function chunkName(application: Application, index: number): string {
  const { name } = application;
  return name.length <= 240 ? `${name}-${index}` : `${name.slice(0, 225)}-${sha256(name, 12)}-${index}`;
}

function collectionPath(application: Application): string {
  return `/apis/${apiVersion}/namespaces/${encodeURIComponent(application.namespace)}/inventories`;
}

function isOwnedBy(object: JsonObject, application: Application): boolean {
  return listOf(metadataOf(object)['ownerReferences']).some((owner) => isJsonObject(owner) && owner['uid'] === application.uid);
}

function nameOf(object: JsonObject): string {
  return String(metadataOf(object)['name']);
}

function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object['metadata']) ? object['metadata'] : {};
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
