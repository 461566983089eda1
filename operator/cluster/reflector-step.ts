// How a list and a watch follow one collection, as a pure step: what came in → what changed and what to ask next. Requests and time are in reflector.ts.
import { isOlderVersion } from '../model/resource-version.ts';

/** One object as the reflector keeps it. */
export interface ReflectedItem<Value> {
  /** Unique within the collection. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: Value;
}

/** Where a reflector stands. */
export interface ReflectorState<Value> {
  readonly phase: 'listing' | 'watching';
  /** Pages of the list in progress; nobody sees them before the last one came. */
  readonly pages: readonly (readonly ReflectedItem<Value>[])[];
  readonly continueToken: string;
  /** Resource version to watch from; '' before the first list. */
  readonly resourceVersion: string;
  /** Failures since something last went well. */
  readonly failures: number;
  /** Lists in a row that were older than what was seen before. */
  readonly regressions: number;
}

/** What came in. */
export type ReflectorInput<Value> =
  | {
      readonly type: 'page';
      readonly items: readonly ReflectedItem<Value>[];
      readonly continueToken: string;
      readonly resourceVersion: string;
    }
  | { readonly type: 'put' | 'remove'; readonly item: ReflectedItem<Value> }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  /** The server ended the watch, as it does every few minutes. */
  | { readonly type: 'closed'; readonly livedMilliseconds: number }
  /** A refusal (`status`), a lost connection, a silent stream, an ERROR event. */
  | { readonly type: 'failed'; readonly status?: number; readonly retryAfterSeconds?: number }
  /** A line that cannot be read. */
  | { readonly type: 'malformed' };

/** What the collection's copy must do. */
export type ReflectorChange<Value> =
  /** `isRewound`: the list is older than what was seen before, and stays so: the cluster was restored from a backup, or made anew. */
  | { readonly type: 'replace'; readonly items: readonly ReflectedItem<Value>[]; readonly isRewound: boolean }
  | { readonly type: 'put' | 'remove'; readonly item: ReflectedItem<Value> };

/** What to do after a step. `read`: go on reading the open watch. */
export interface ReflectorStep<Value> {
  readonly state: ReflectorState<Value>;
  readonly change?: ReflectorChange<Value>;
  readonly next: { readonly do: 'list' | 'watch' | 'read'; readonly afterMilliseconds: number };
}

/** A list older than what was seen is asked for again this often, then it is believed: the cluster was restored from a backup. */
const maxRegressions = 3;
/** Milliseconds after which the end of a watch is no failure. */
const longLived = 5_000;

/** A reflector that has seen nothing. */
export function initialState<Value>(): ReflectorState<Value> {
  return { phase: 'listing', pages: [], continueToken: '', resourceVersion: '', failures: 0, regressions: 0 };
}

/**
 * The next state.
 * Guarantees: a change is told only from a complete list or a well-formed event; nothing is lost, because a broken watch goes on from the last
 * version read and a version that is too old leads to a new list; versions only grow, unless the server insists. A stream that is out of
 * order, or a server that was away, may have another history than the one known: it is listed again.
 */
export function reflectorStep<Value>(state: ReflectorState<Value>, input: ReflectorInput<Value>): ReflectorStep<Value> {
  switch (input.type) {
    case 'page':
      return input.continueToken === ''
        ? listed(state, [...state.pages, input.items], input.resourceVersion)
        : paged(state, input.items, input.continueToken);
    case 'put':
    case 'remove': {
      if (isOlderVersion(input.item.resourceVersion, state.resourceVersion)) return outOfOrder(state);
      return { state: advanced(state, input.item.resourceVersion), change: input, next: { do: 'read', afterMilliseconds: 0 } };
    }
    case 'bookmark':
      if (isOlderVersion(input.resourceVersion, state.resourceVersion)) return outOfOrder(state);
      return { state: advanced(state, input.resourceVersion), next: { do: 'read', afterMilliseconds: 0 } };
    case 'closed':
      // A watch that ends at once counts as a failure, so that the server is not asked in a tight loop.
      if (input.livedMilliseconds >= longLived) return again({ ...state, failures: 0 }, 'watch', 0);
      return again({ ...state, failures: state.failures + 1 }, 'watch', state.failures === 0 ? 0 : backOff(state.failures));
    case 'malformed':
      return again({ ...state, failures: state.failures + 1 }, state.failures === 0 ? 'watch' : 'list', backOff(state.failures + 1));
    case 'failed':
      return failed(state, input);
  }
}

function paged<Value>(state: ReflectorState<Value>, items: readonly ReflectedItem<Value>[], continueToken: string): ReflectorStep<Value> {
  return { state: { ...state, pages: [...state.pages, items], continueToken }, next: { do: 'list', afterMilliseconds: 0 } };
}

function listed<Value>(
  state: ReflectorState<Value>,
  pages: readonly (readonly ReflectedItem<Value>[])[],
  resourceVersion: string,
): ReflectorStep<Value> {
  if (isOlderVersion(resourceVersion, state.resourceVersion) && state.regressions < maxRegressions) {
    const regressions = state.regressions + 1;
    return again({ ...state, regressions }, 'list', backOff(regressions + 2));
  }
  return {
    state: { phase: 'watching', pages: [], continueToken: '', resourceVersion, failures: 0, regressions: 0 },
    change: { type: 'replace', items: pages.flat(), isRewound: isOlderVersion(resourceVersion, state.resourceVersion) },
    next: { do: 'watch', afterMilliseconds: 0 },
  };
}

function failed<Value>(
  state: ReflectorState<Value>,
  input: { readonly status?: number; readonly retryAfterSeconds?: number },
): ReflectorStep<Value> {
  const failures = state.failures + 1;
  const wait = input.retryAfterSeconds === undefined ? backOff(failures) : input.retryAfterSeconds * 1000;
  const counted = { ...state, failures };
  // 410: the version to watch from, or the token of the next page, is too old.
  if (input.status === 410) return again(counted, 'list', failures === 1 ? 0 : wait);
  // A server that cannot even be asked may come back with another history, in which the version to watch from lies in the future.
  const wasAway = input.status === undefined && state.failures > 0;
  return again(counted, state.phase === 'watching' && !wasAway ? 'watch' : 'list', wait);
}

/** What comes is older than what came: what lies between is not known any more. */
function outOfOrder<Value>(state: ReflectorState<Value>): ReflectorStep<Value> {
  const failures = state.failures + 1;
  return again({ ...state, failures }, 'list', backOff(failures));
}

/** Starts over: half a list is thrown away. */
function again<Value>(state: ReflectorState<Value>, todo: 'list' | 'watch', afterMilliseconds: number): ReflectorStep<Value> {
  const phase = todo === 'list' ? 'listing' : 'watching';
  return { state: { ...state, phase, pages: [], continueToken: '' }, next: { do: todo, afterMilliseconds } };
}

function advanced<Value>(state: ReflectorState<Value>, resourceVersion: string): ReflectorState<Value> {
  return {
    ...state,
    failures: 0,
    resourceVersion:
      resourceVersion === '' || isOlderVersion(resourceVersion, state.resourceVersion) ? state.resourceVersion : resourceVersion,
  };
}

/** 200 ms doubling up to 30 s. Jitter is added where the waiting happens. */
function backOff(failures: number): number {
  return Math.min(30_000, 100 * 2 ** Math.min(failures, 10));
}
