// Inventories as the caller may read them, all chunks of an Application put together. Writing them is the operator's alone.
import { apiVersion } from '../../constructs/annotations.ts';
import { type InventoryChunk, joinChunks, parseChunk } from '../cluster/inventory-format.ts';
import type { RestClient } from '../cluster/rest-client.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { ApplicationInventory } from './cluster-reader.ts';
import { itemsOf } from './watch-objects.ts';

/** Chunks per page; each may hold half a megabyte. */
const pageSize = 20;

interface Owned {
  readonly namespace: string;
  readonly application: string;
  readonly chunks: InventoryChunk[];
}

/** The inventories of one namespace, or of all. Throws OperatorError `InventoryCorrupt` for one that cannot be read. */
export async function readInventories(
  client: RestClient,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly ApplicationInventory[]> {
  const owned = new Map<string, Owned>();
  for await (const object of listInventories(client, namespace, signal)) {
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
    const owner = ownerOf(metadata);
    const place = String(metadata['namespace']);
    if (owner === undefined) continue;
    const found = owned.get(owner.uid) ?? { namespace: place, application: owner.name, chunks: [] };
    found.chunks.push(parseChunk(object, `${place}/${String(metadata['name'])}`));
    owned.set(owner.uid, found);
  }
  return [...owned.values()].map(({ namespace: place, application, chunks }) => ({
    namespace: place,
    application,
    inventory: joinChunks(chunks, `${place}/${application}`),
  }));
}

async function* listInventories(client: RestClient, namespace: string | undefined, signal: AbortSignal): AsyncIterable<JsonObject> {
  const path = `/apis/${apiVersion}${namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/inventories`;
  const doing = `list Inventories${namespace === undefined ? '' : ` in ${namespace}`}`;
  let token = '';
  do {
    const query = { limit: String(pageSize), ...(token === '' ? {} : { continue: token }) };
    const page = await client.request({ method: 'GET', path, query, doing, signal });
    yield* itemsOf(page);
    token = String((isJsonObject(page['metadata']) ? page['metadata']['continue'] : undefined) ?? '');
  } while (token !== '');
}

/** The Application that owns a chunk. */
function ownerOf(metadata: JsonObject): { readonly name: string; readonly uid: string } | undefined {
  const owners = Array.isArray(metadata['ownerReferences']) ? (metadata['ownerReferences'] as readonly JsonObject[]) : [];
  const owner = owners.find(({ kind }) => kind === 'Application');
  return owner === undefined ? undefined : { name: String(owner['name']), uid: String(owner['uid']) };
}
