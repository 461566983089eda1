// Live objects that carry our label, kept current by one watch per kind for all Applications. Whether something drifted is judged in observe/.
import { trackingLabel } from '../../constructs/annotations.ts';
import { OperatorError } from '../model/error.ts';
import type { EmitEvent } from '../model/event.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { hasStatusHealth } from '../model/kinds-with-status.ts';
import { formatRef, groupOf, type KindRef, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { ObjectObserver } from '../reconcile/ports.ts';
import { statusOf } from './api-error.ts';
import { type Discovery, pathOf, type ServedKind } from './discovery.ts';
import { observedFrom, statusFrom } from './observed-object.ts';
import { type Reflector, startReflector } from './reflector.ts';
import type { RestClient } from './rest-client.ts';

/** What an ObjectObserver works with. */
export interface ObserverOptions {
  readonly client: RestClient;
  readonly discovery: Discovery;
  readonly emit: EmitEvent;
  /** Ends all watches. */
  readonly signal: AbortSignal;
}

interface Watched {
  readonly object: ObservedObject;
  /** Only of kinds whose health is read from status. */
  readonly status?: JsonObject;
}

type Listener = (key: ObjectKey, object: ObservedObject | undefined, previous: ObservedObject | undefined) => void;

/** Whom watches tell. */
interface Audience {
  readonly change: Listener;
  readonly rewound: () => void;
}

/** Watches live objects as the operator: metadata only, but for kinds whose health is in their status. */
export function createObserver(options: ObserverOptions): ObjectObserver {
  const listeners = new Set<Listener>();
  const watches = new Map<string, KindWatch>();
  const rewindListeners = new Set<() => void>();
  const tell: Audience = {
    change(key, object, previous) {
      for (const listener of listeners) listener(key, object, previous);
    },
    rewound() {
      for (const listener of rewindListeners) listener();
    },
  };
  const find = (key: ObjectKey): Watched | undefined => {
    // Asked of every object at every sync: cut where the bars are, nothing is split into parts.
    const kindEnd = key.indexOf('|', key.indexOf('|') + 1);
    const namespaceEnd = key.indexOf('|', kindEnd + 1);
    return watches.get(key.slice(0, kindEnd))?.reflector.get(`${key.slice(kindEnd + 1, namespaceEnd)}/${key.slice(namespaceEnd + 1)}`);
  };
  return {
    async watchKinds(kinds) {
      const wanted = new Map(kinds.map((kind) => [`${groupOf(kind.apiVersion)}|${kind.kind}`, kind]));
      await Promise.all([...wanted].map(([id, kind]) => ensureWatched(options, watches, id, kind, tell)));
    },
    get: (key) => find(key)?.object,
    status: (key) => find(key)?.status,
    onChange: (listener) => void listeners.add(listener),
    onRewound: (listener) => void rewindListeners.add(listener),
    fetch: (ref) => fetchMetadata(options, ref),
    findLabelled: (label) => findLabelled(options, label),
  };
}

interface KindWatch {
  readonly reflector: Reflector<Watched>;
  readonly stop: AbortController;
}

/** Starts the watch of a kind once. A kind that the cluster does not serve has no objects and no watch. */
async function ensureWatched(
  options: ObserverOptions,
  watches: Map<string, KindWatch>,
  id: string,
  kind: KindRef,
  tell: Audience,
): Promise<void> {
  const running = watches.get(id);
  if (running !== undefined) return listedOf(running.reflector);
  const served = await servedKind(options.discovery, kind);
  if (served === undefined) return;
  const started = watches.get(id) ?? startKind(options, served, tell, () => watches.delete(id));
  watches.set(id, started);
  await listedOf(started.reflector);
}

/** After a failed first list the reflector tries on; ask it again, not its first answer. */
async function listedOf(reflector: Reflector<Watched>): Promise<void> {
  const failure = reflector.failure();
  if (failure !== undefined && !reflector.hasListed()) throw failure;
  if (!reflector.hasListed()) await reflector.listed;
}

async function servedKind(discovery: Discovery, kind: KindRef): Promise<ServedKind | undefined> {
  const served = await discovery.locate(kind, `watch ${kind.kind}`);
  return served?.verbs.has('list') === true && served.verbs.has('watch') ? served : undefined;
}

function startKind(options: ObserverOptions, kind: ServedKind, tell: Audience, forget: () => void): KindWatch {
  const withStatus = hasStatusHealth(kind);
  const stop = new AbortController();
  const reflector = startReflector<Watched>(
    options.client,
    {
      path: pathOf(kind, { namespace: '', name: '' }),
      labelSelector: trackingLabel,
      metadataOnly: !withStatus,
      doing: `watch ${kind.plural}`,
      reduce: (object) => ({ object: observedFrom(kind, object), ...(withStatus ? { status: statusFrom(kind, object) } : {}) }),
    },
    {
      onChange: (_name, watched, previous) => {
        const key = (watched ?? previous)?.object.key;
        if (key !== undefined) tell.change(key, watched?.object, previous?.object);
      },
      onRewound: tell.rewound,
      onFailure(error) {
        options.emit({ type: 'failure', error });
        if (statusOf(error) === 404) void dropIfRemoved(options, kind, reflector, stop, tell, forget);
      },
    },
    AbortSignal.any([options.signal, stop.signal]),
  );
  return { reflector, stop };
}

/** 404 on a collection: the kind was removed if discovery, asked anew, says so too; then its objects are gone with it. */
async function dropIfRemoved(
  options: ObserverOptions,
  kind: ServedKind,
  reflector: Reflector<Watched>,
  stop: AbortController,
  tell: Audience,
  forget: () => void,
): Promise<void> {
  try {
    const { byKind, failedGroups } = await options.discovery.served(true);
    if (byKind.has(`${kind.apiVersion}|${kind.kind}`) || failedGroups.has(groupOf(kind.apiVersion)) || stop.signal.aborted) return;
  } catch (error) {
    if (error instanceof OperatorError) return; // Discovery fails too: nothing is known, the watch goes on trying.
    throw error;
  }
  stop.abort();
  forget();
  for (const { object } of [...reflector.values()]) tell.change(object.key, undefined, object);
}

/** Requests at once while all kinds are searched. */
const searchLanes = 8;

async function findLabelled({ client, discovery }: ObserverOptions, label: string): Promise<readonly ObservedObject[]> {
  const kinds = new Map<string, ServedKind>();
  for (const kind of (await discovery.served(true)).byKind.values()) {
    const id = `${groupOf(kind.apiVersion)}|${kind.kind}`;
    if (kind.verbs.has('list') && !kinds.has(id)) kinds.set(id, kind);
  }
  const found: ObservedObject[] = [];
  const queue = kinds.values();
  const lane = async (): Promise<void> => {
    for (const kind of queue) found.push(...(await listLabelled(client, kind, label)));
  };
  await Promise.all(Array.from({ length: searchLanes }, lane));
  return found.sort((left, right) => (left.key < right.key ? -1 : 1));
}

async function listLabelled(client: RestClient, kind: ServedKind, label: string): Promise<readonly ObservedObject[]> {
  const found: ObservedObject[] = [];
  for (let token = ''; ; ) {
    const query = { labelSelector: `${trackingLabel}=${label}`, limit: '500', ...(token === '' ? {} : { continue: token }) };
    const path = pathOf(kind, { namespace: '', name: '' });
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';
    try {
      const page = await client.request({
        method: 'GET',
        path,
        query,
        accept,
        doing: `look for labelled ${kind.plural}`,
        stage: 'observe',
      });
      const items = Array.isArray(page['items']) ? page['items'] : [];
      found.push(...items.filter(isJsonObject).map((object) => observedFrom(kind, object)));
      const next = isJsonObject(page['metadata']) ? page['metadata']['continue'] : undefined;
      if (typeof next !== 'string' || next === '') return found;
      token = next;
    } catch (error) {
      // A kind that went away since, or that lists nothing by label.
      if (statusOf(error) === 404 || statusOf(error) === 405) return found;
      throw error;
    }
  }
}

async function fetchMetadata(options: ObserverOptions, ref: ObjectRef): Promise<ObservedObject | undefined> {
  const doing = `look at ${formatRef(ref)}`;
  const kind = await servedKind(options.discovery, ref);
  if (kind === undefined) return undefined;
  try {
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
    const object = await options.client.request({ method: 'GET', path: pathOf(kind, ref), accept, doing, stage: 'observe' });
    return isJsonObject(object) ? observedFrom(ref, object) : undefined;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
