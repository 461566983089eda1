// Follows one collection of the API server: sends what reflector-step.ts asks for and waits. Keeps a copy of the collection; knows no kind.
import { OperatorError, toOperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { parseStatusObject, statusOf, unusable } from './api-error.ts';
import { linesOf } from './lines.ts';
import {
  initialState,
  type ReflectedItem,
  type ReflectorChange,
  type ReflectorInput,
  type ReflectorState,
  reflectorStep,
} from './reflector-step.ts';
import type { RestClient } from './rest-client.ts';

/** A collection to follow. */
export interface Collection<Value> {
  /** `/apis/apps/v1/deployments`. */
  readonly path: string;
  readonly labelSelector?: string;
  /** `metadata.name=one`. */
  readonly fieldSelector?: string;
  /** Ask for metadata only; the server then sends no value. */
  readonly metadataOnly: boolean;
  /** `watch Deployments`: begins the text of an error. */
  readonly doing: string;
  /** What to keep of an object. A throw is reported and the last good value stays, so that one bad object harms no other. */
  readonly reduce: (object: JsonObject) => Value;
}

/** Who is told. */
export interface CollectionListener<Value> {
  /** An object appeared, changed or went (`undefined`). */
  onChange(key: string, value: Value | undefined, previous: Value | undefined): void;
  onFailure(error: OperatorError): void;
  /** The API server answered with a page or opened a watch: it lets us look. */
  onAnswer?(): void;
  /** The collection went back in time, after its changes were told: versions known from before say nothing any more. */
  onRewound?(): void;
}

/** A collection that is followed until its signal aborts. */
export interface Reflector<Value> {
  get(key: string): Value | undefined;
  values(): Iterable<Value>;
  /** Resolves after the first complete list; rejects with the first failure before it, while trying goes on. */
  readonly listed: Promise<void>;
  hasListed(): boolean;
  /** The last failure since something last went well. */
  failure(): OperatorError | undefined;
}

/** Times, to be made short in tests. */
export interface ReflectorLimits {
  /** A watch that sends nothing, not even a bookmark, is opened again. */
  readonly silentMilliseconds: number;
  readonly pageSize: number;
}

const defaultLimits: ReflectorLimits = { silentMilliseconds: 150_000, pageSize: 500 };

/** Starts following a collection. */
export function startReflector<Value>(
  client: RestClient,
  collection: Collection<Value>,
  listener: CollectionListener<Value>,
  signal: AbortSignal,
  limits: Partial<ReflectorLimits> = {},
): Reflector<Value> {
  const copy = new Map<string, ReflectedItem<Value>>();
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined);
  let failure: OperatorError | undefined;
  let hasListed = false;
  const io: Io<Value> = {
    client,
    collection,
    signal,
    limits: { ...defaultLimits, ...limits },
    keep: (object) => itemOf(object, collection, copy, listener),
    change(change) {
      applyChange(copy, change, listener);
      if (change.type === 'replace' && change.isRewound) listener.onRewound?.();
      hasListed = true;
      first.resolve();
    },
    progress() {
      failure = undefined;
    },
    answered: () => listener.onAnswer?.(),
    fail(error) {
      failure = error;
      listener.onFailure(error);
      first.reject(error);
    },
  };
  void follow(io).catch((error: unknown) => {
    if (!signal.aborted) listener.onFailure(toOperatorError(error, 'cluster'));
    first.reject(error);
  });
  return {
    get: (key) => copy.get(key)?.value,
    *values() {
      for (const item of copy.values()) yield item.value;
    },
    listed: first.promise,
    hasListed: () => hasListed,
    failure: () => failure,
  };
}

interface Io<Value> {
  readonly client: RestClient;
  readonly collection: Collection<Value>;
  readonly signal: AbortSignal;
  readonly limits: ReflectorLimits;
  keep(object: JsonObject): ReflectedItem<Value> | undefined;
  change(change: ReflectorChange<Value>): void;
  progress(): void;
  answered(): void;
  fail(error: OperatorError): void;
}

async function follow<Value>(io: Io<Value>): Promise<void> {
  let state: ReflectorState<Value> = initialState();
  let todo: 'list' | 'watch' = 'list';
  let wait = 0;
  const take = (input: ReflectorInput<Value>): boolean => {
    const step = reflectorStep(state, input);
    state = step.state;
    if (step.change !== undefined) io.change(step.change);
    if (state.failures === 0) io.progress();
    if (step.next.do === 'read') return true;
    todo = step.next.do;
    wait = step.next.afterMilliseconds;
    return false;
  };
  while (!io.signal.aborted) {
    await waitFor(wait * (0.75 + Math.random() / 2), io.signal);
    wait = 0;
    if (todo === 'list') take(await listPage(io, state.continueToken));
    else await watch(io, state.resourceVersion, take);
  }
}

async function listPage<Value>(io: Io<Value>, continueToken: string): Promise<ReflectorInput<Value>> {
  const { path, metadataOnly, doing } = io.collection;
  try {
    const page = await io.client.request({
      method: 'GET',
      path,
      doing,
      signal: io.signal,
      timeoutMilliseconds: 60_000,
      accept: metadataOnly ? 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json' : 'application/json',
      query: {
        limit: String(io.limits.pageSize),
        ...selectors(io.collection),
        ...(continueToken === '' ? {} : { continue: continueToken }),
      },
    });
    io.answered();
    const metadata = isJsonObject(page['metadata']) ? page['metadata'] : {};
    const items = Array.isArray(page['items']) ? (page['items'] as readonly JsonValue[]).filter(isJsonObject) : [];
    return {
      type: 'page',
      items: items.map(io.keep).filter((item) => item !== undefined),
      continueToken: textOf(metadata['continue']),
      resourceVersion: textOf(metadata['resourceVersion']),
    };
  } catch (error) {
    return failureOf(io, error);
  }
}

/** Reads one watch until it ends. `take` says whether to read on. */
async function watch<Value>(io: Io<Value>, resourceVersion: string, take: (input: ReflectorInput<Value>) => boolean): Promise<void> {
  const { path, metadataOnly, doing } = io.collection;
  const silence = new AbortController();
  const openedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(
      () => silence.abort(new Error(`nothing came for ${io.limits.silentMilliseconds / 1000} s`)),
      io.limits.silentMilliseconds,
    );
  };
  alive();
  try {
    const stream = await io.client.stream({
      method: 'GET',
      path,
      doing,
      signal: AbortSignal.any([io.signal, silence.signal]),
      accept: metadataOnly ? 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json' : 'application/json',
      query: {
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion,
        timeoutSeconds: String(Math.round(300 + Math.random() * 300)),
        ...selectors(io.collection),
      },
    });
    io.answered();
    for await (const line of linesOf(stream, alive)) if (!take(eventOf(io, line))) return;
    if (!io.signal.aborted) take({ type: 'closed', livedMilliseconds: performance.now() - openedAt });
  } catch (error) {
    if (!io.signal.aborted) take(failureOf(io, silence.signal.aborted ? silence.signal.reason : error));
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function selectors({ labelSelector, fieldSelector }: Pick<Collection<unknown>, 'labelSelector' | 'fieldSelector'>): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function eventOf<Value>(io: Io<Value>, line: string): ReflectorInput<Value> {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    event = undefined;
  }
  const object = isJsonObject(event) ? event['object'] : undefined;
  if (!isJsonObject(event) || !isJsonObject(object)) {
    io.fail(unusable({ doing: io.collection.doing, stage: 'cluster' }, 'a line of the watch cannot be read'));
    return { type: 'malformed' };
  }
  if (event['type'] === 'ERROR') {
    const status = parseStatusObject(object);
    if (status.status !== 410) io.fail(unusable({ doing: io.collection.doing, stage: 'cluster' }, status.message));
    return { type: 'failed', status: status.status };
  }
  if (event['type'] === 'BOOKMARK') return { type: 'bookmark', resourceVersion: textOf(metadataOf(object)['resourceVersion']) };
  const item = io.keep(object);
  if (item === undefined) return { type: 'bookmark', resourceVersion: textOf(metadataOf(object)['resourceVersion']) };
  return { type: event['type'] === 'DELETED' ? 'remove' : 'put', item };
}

function failureOf<Value>(io: Io<Value>, error: unknown): ReflectorInput<Value> {
  const known =
    error instanceof OperatorError
      ? error
      : unusable({ doing: io.collection.doing, stage: 'cluster' }, error instanceof Error ? error.message : String(error));
  const status = statusOf(known);
  if (!io.signal.aborted && status !== 410) io.fail(known);
  return {
    type: 'failed',
    ...(status === undefined ? {} : { status }),
    ...(known.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: known.retryAfterSeconds }),
  };
}

function itemOf<Value>(
  object: JsonObject,
  collection: Collection<Value>,
  copy: ReadonlyMap<string, ReflectedItem<Value>>,
  listener: CollectionListener<Value>,
): ReflectedItem<Value> | undefined {
  const metadata = metadataOf(object);
  const key = `${textOf(metadata['namespace'])}/${textOf(metadata['name'])}`;
  const known = { key, uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) };
  try {
    return { ...known, value: collection.reduce(object) };
  } catch (error) {
    listener.onFailure(toOperatorError(error, 'cluster'));
    const before = copy.get(key);
    return before === undefined ? undefined : { ...known, value: before.value };
  }
}

function applyChange<Value>(
  copy: Map<string, ReflectedItem<Value>>,
  change: ReflectorChange<Value>,
  listener: CollectionListener<Value>,
): void {
  const put = (item: ReflectedItem<Value>): void => {
    const before = copy.get(item.key);
    if (before?.uid === item.uid && before.resourceVersion === item.resourceVersion) return;
    copy.set(item.key, item);
    if (before !== undefined && before.value === item.value) return;
    listener.onChange(item.key, item.value, before?.value);
  };
  const remove = (key: string): void => {
    const before = copy.get(key);
    if (copy.delete(key)) listener.onChange(key, undefined, before?.value);
  };
  if (change.type === 'replace') {
    const listed = new Set(change.items.map((item) => item.key));
    for (const key of [...copy.keys()].filter((known) => !listed.has(known))) remove(key);
    for (const item of change.items) put(item);
  } else if (change.type === 'put') put(change.item);
  else remove(change.item.key);
}

function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object['metadata']) ? object['metadata'] : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Waits, or until the signal aborts: the caller looks at the signal anyway. */
async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish, { once: true });
  });
}
