// Schemas of kinds from the cluster's OpenAPI v3 documents, reduced to what validation reads. Documents are megabytes and are not kept.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KindRef } from '../model/object-ref.ts';
import type { KindSchema } from '../validate/ports.ts';
import type { RestClient } from './rest-client.ts';

/** Schemas by `apiVersion|kind`. */
export interface SchemaSource {
  /** Loads the schemas of these kinds; a kind without one is left out. Only documents that changed or that hold new kinds are fetched. */
  load(kinds: readonly KindRef[]): Promise<ReadonlyMap<string, KindSchema>>;
}

/** What is kept of one group-version. */
interface KnownVersion {
  readonly url: string;
  /** Undefined: looked for, and the document has no such kind. */
  readonly schemas: Map<string, KindSchema | undefined>;
}

/** The schemas of one cluster. Documents are named by a hash of their content, so an unchanged one is never fetched twice. */
export function createSchemaSource(client: RestClient): SchemaSource {
  const known = new Map<string, KnownVersion>();
  return {
    async load(kinds) {
      const index = await readIndex(client);
      const wanted = Map.groupBy(kinds, (kind) => kind.apiVersion);
      const result = new Map<string, KindSchema>();
      await Promise.all(
        [...wanted].map(async ([apiVersion, members]) => {
          const url = index.get(apiVersion);
          if (url === undefined) return;
          const version = await loadVersion(
            client,
            known.get(apiVersion),
            url,
            apiVersion,
            members.map((member) => member.kind),
          );
          known.set(apiVersion, version);
          for (const { kind } of members) {
            const schema = version.schemas.get(kind);
            if (schema !== undefined) result.set(`${apiVersion}|${kind}`, schema);
          }
        }),
      );
      return result;
    },
  };
}

async function loadVersion(
  client: RestClient,
  before: KnownVersion | undefined,
  url: string,
  apiVersion: string,
  kinds: readonly string[],
): Promise<KnownVersion> {
  const current = before?.url === url ? before : undefined;
  const missing = kinds.filter((kind) => current?.schemas.has(kind) !== true);
  if (current !== undefined && missing.length === 0) return current;
  const [path = '', query = ''] = url.split('?');
  const document = await client.request({
    method: 'GET',
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
    doing: `read the schemas of ${apiVersion}`,
    timeoutMilliseconds: 60_000,
  });
  const wanted = new Set([...missing, ...(before?.schemas.keys() ?? [])]);
  return { url, schemas: reduceDocument(document, apiVersion, wanted, url) };
}

async function readIndex(client: RestClient): Promise<ReadonlyMap<string, string>> {
  const index = await client.request({ method: 'GET', path: '/openapi/v3', doing: 'read the index of schemas' });
  const paths = isJsonObject(index['paths']) ? index['paths'] : {};
  const urls = new Map<string, string>();
  for (const [path, entry] of Object.entries(paths)) {
    const url = isJsonObject(entry) ? entry['serverRelativeURL'] : undefined;
    const apiVersion = /^apis?\/(.+)$/.exec(path)?.[1];
    if (apiVersion !== undefined && typeof url === 'string') urls.set(apiVersion, url);
  }
  return urls;
}

/** The schemas of the kinds in one OpenAPI v3 document, each with the components it reaches. Descriptions and examples are dropped. */
export function reduceDocument(
  document: JsonObject,
  apiVersion: string,
  kinds: ReadonlySet<string>,
  version: string,
): Map<string, KindSchema | undefined> {
  const components = isJsonObject(document['components']) ? document['components'] : {};
  const all = isJsonObject(components['schemas']) ? components['schemas'] : {};
  const slim = new Map<string, JsonObject>();
  const result = new Map<string, KindSchema | undefined>([...kinds].map((kind) => [kind, undefined]));
  for (const [name, schema] of Object.entries(all)) {
    if (!isJsonObject(schema)) continue;
    const kind = kindIn(schema, apiVersion);
    if (kind === undefined || !kinds.has(kind)) continue;
    const schemas = Object.fromEntries(reachable(name, all, slim));
    result.set(kind, { schema: schemas[name] ?? {}, components: { schemas }, version: `${version}#${kind}` });
  }
  return result;
}

/** The kind a schema says it is of. Shared schemas such as DeleteOptions name many. */
function kindIn(schema: JsonObject, apiVersion: string): string | undefined {
  const names = schema['x-kubernetes-group-version-kind'];
  if (!Array.isArray(names) || names.length !== 1) return undefined;
  const name = (names as readonly JsonValue[])[0];
  if (!isJsonObject(name)) return undefined;
  const found = name['group'] === '' ? name['version'] : `${String(name['group'])}/${String(name['version'])}`;
  return found === apiVersion && typeof name['kind'] === 'string' ? name['kind'] : undefined;
}

function reachable(root: string, all: JsonObject, slim: Map<string, JsonObject>): readonly (readonly [string, JsonObject])[] {
  const found = new Map<string, JsonObject>();
  const pending = [root];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const schema = all[name];
    if (found.has(name) || !isJsonObject(schema)) continue;
    const reduced = slim.get(name) ?? slimSchema(schema);
    slim.set(name, reduced);
    found.set(name, reduced);
    pending.push(...referencesIn(reduced));
  }
  return [...found];
}

/** The schema without members that only people read. Members of `properties` are names of fields and all stay. */
function slimSchema(schema: JsonObject): JsonObject {
  const slim: Record<string, JsonValue | undefined> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'description' || key === 'example' || key === 'externalDocs') continue;
    if (key === 'properties' && isJsonObject(value)) {
      slim[key] = Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name, isJsonObject(member) ? slimSchema(member) : member]),
      );
    } else if (key === 'default' || key === 'enum') slim[key] = value;
    else slim[key] = slimValue(value);
  }
  return slim;
}

function slimValue(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => slimValue(item) as JsonValue);
  return isJsonObject(value) ? slimSchema(value) : value;
}

function referencesIn(value: JsonValue | undefined, found: string[] = []): readonly string[] {
  if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) referencesIn(item, found);
  else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key === '$ref' && typeof member === 'string') found.push(decodeURIComponent(member.slice(member.lastIndexOf('/') + 1)));
      else referencesIn(member, found);
    }
  }
  return found;
}
