// Which kinds the cluster serves, under which path, and which API groups are out of order. Schemas are in openapi.ts.
import { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { groupOf, type KindRef, type ObjectRef } from '../model/object-ref.ts';
import type { KindInfo } from '../validate/ports.ts';
import type { RestClient } from './rest-client.ts';

/** A kind with what the API server lets one do with it. */
export interface ServedKind extends KindInfo {
  readonly verbs: ReadonlySet<string>;
}

/** Everything the cluster served at one moment. */
export interface ServedKinds {
  /** By `apiVersion|kind`. */
  readonly byKind: ReadonlyMap<string, ServedKind>;
  /** Groups whose server did not answer: their kinds may be missing or old. */
  readonly failedGroups: ReadonlySet<string>;
}

/** Discovery, kept in memory. */
export interface Discovery {
  /** What is served; asked again when older than a minute or when `refresh` is set. Calls at the same time share one answer. */
  served(refresh?: boolean): Promise<ServedKinds>;
  /** The kind; asks the server again before saying that there is none. Throws OperatorError `ApplyRefused`. */
  find(kind: KindRef, doing: string): Promise<ServedKind>;
  /** The kind in whatever version it is served: enough to look at an object or to delete it. Undefined when its group answers and serves it no more. */
  locate(kind: KindRef, doing: string): Promise<ServedKind | undefined>;
  /** Forgets what is known: a kind was added or removed. */
  invalidate(): void;
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const freshMilliseconds = 60_000;
/** A kind that was not found is not looked for again sooner. */
const missMilliseconds = 1_000;

/** Discovery of one cluster. */
export function createDiscovery(client: RestClient): Discovery {
  let known: ServedKinds | undefined;
  let readAt = -Infinity;
  let running: Promise<ServedKinds> | undefined;

  const read = async (): Promise<ServedKinds> => {
    const [core, groups] = await Promise.all(
      ['/api', '/apis'].map((path) => client.request({ method: 'GET', path, accept, doing: 'read the kinds of the cluster' })),
    );
    known = parseDiscovery([core ?? {}, groups ?? {}]);
    readAt = performance.now();
    return known;
  };
  const served = (refresh = false): Promise<ServedKinds> => {
    if (!refresh && known !== undefined && performance.now() - readAt < freshMilliseconds) return Promise.resolve(known);
    running ??= read().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    served,
    async find(kind, doing) {
      const key = `${kind.apiVersion}|${kind.kind}`;
      const found = (known ?? (await served())).byKind.get(key);
      if (found !== undefined) return found;
      const again = (await served(performance.now() - readAt > missMilliseconds)).byKind.get(key);
      if (again !== undefined) return again;
      if (known?.failedGroups.has(groupOf(kind.apiVersion)) === true) throw silentGroup(kind, doing);
      throw new OperatorError(`${doing}: the cluster serves no ${kind.apiVersion} ${kind.kind}`, {
        ...{ code: 'ApplyRefused', stage: 'cluster', fate: 'transient' },
        hint: 'install its CustomResourceDefinition, or correct apiVersion and kind',
      });
    },
    async locate(kind, doing) {
      const found = inAnyVersion(await served(), kind) ?? inAnyVersion(await served(performance.now() - readAt > missMilliseconds), kind);
      if (found === undefined && known?.failedGroups.has(groupOf(kind.apiVersion)) === true) throw silentGroup(kind, doing);
      return found;
    },
    invalidate() {
      readAt = -Infinity;
    },
  };
}

/** The version asked for, or else any other: the objects are the same. */
function inAnyVersion({ byKind }: ServedKinds, kind: KindRef): ServedKind | undefined {
  const group = groupOf(kind.apiVersion);
  return (
    byKind.get(`${kind.apiVersion}|${kind.kind}`) ??
    [...byKind.values()].find((served) => served.kind === kind.kind && groupOf(served.apiVersion) === group)
  );
}

function silentGroup(kind: KindRef, doing: string): OperatorError {
  const group = groupOf(kind.apiVersion);
  return new OperatorError(`${doing}: the server of API group ${group} does not answer`, {
    ...{ code: 'ApiUnreachable', stage: 'cluster', fate: 'transient' },
    hint: `check the APIService of ${group}`,
  });
}

/** The kinds in `APIGroupDiscoveryList` documents (KEP-3352). */
export function parseDiscovery(documents: readonly JsonObject[]): ServedKinds {
  const byKind = new Map<string, ServedKind>();
  const failedGroups = new Set<string>();
  for (const group of documents.flatMap((document) => objectsIn(document['items']))) {
    const name = textOf(isJsonObject(group['metadata']) ? group['metadata']['name'] : undefined);
    for (const version of objectsIn(group['versions'])) {
      if (version['freshness'] === 'Stale') failedGroups.add(name);
      for (const resource of objectsIn(version['resources'])) {
        const kind = parseResource(resource, name, textOf(version['version']));
        if (kind !== undefined) byKind.set(`${kind.apiVersion}|${kind.kind}`, kind);
      }
    }
  }
  return { byKind, failedGroups };
}

function parseResource(resource: JsonObject, group: string, version: string): ServedKind | undefined {
  const responseKind = isJsonObject(resource['responseKind']) ? resource['responseKind'] : {};
  const plural = textOf(resource['resource']);
  const kind = textOf(responseKind['kind']);
  const verbs = new Set(Array.isArray(resource['verbs']) ? (resource['verbs'] as readonly JsonValue[]).map(textOf) : []);
  // Review kinds (TokenReview …) can only be created; they are no objects one keeps.
  if (plural === '' || kind === '' || !verbs.has('get')) return undefined;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { apiVersion, kind, plural, namespaced: resource['scope'] === 'Namespaced', verbs };
}

/** The path of an object, or of the collection when `name` is ''. */
export function pathOf(kind: KindInfo, ref: Pick<ObjectRef, 'namespace' | 'name'>): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.namespaced && ref.namespace !== '' ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  return `${root}${scope}/${kind.plural}${ref.name === '' ? '' : `/${encodeURIComponent(ref.name)}`}`;
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
