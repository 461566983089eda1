// Who leads, as a pure step: what was seen of the Lease, and when by this machine's own clock → what to do next. Requests and timers are in leader-election.ts.
import type { JsonObject } from '../model/json.ts';
import { type LeaseTimes, longestLease } from '../model/lease-times.ts';
import { isOlderVersion } from '../model/resource-version.ts';

/** What decides about a Lease. */
export interface LeaseSettings extends LeaseTimes {
  /** Names this process and no other, not even one started later in the same Pod. */
  readonly identity: string;
}

/** A Lease as it was read; undefined in its place: there is none. */
export interface SeenLease {
  readonly resourceVersion: string;
  /** '' when nobody holds it. */
  readonly holder: string;
  /** What the record says, unchecked; undefined when it says nothing. */
  readonly seconds: number | undefined;
  /** All of it, to be written back with what others put there. */
  readonly object: JsonObject;
}

/** Where this process stands. All instants are of its own clock. */
export type LeaseState =
  | {
      readonly role: 'standby';
      /** 'unknown' until something was read. */
      readonly seen: SeenLease | undefined | 'unknown';
      /** Since when the record is what it is, as far as this process knows. */
      readonly seenAt: number;
      /** No request before. */
      readonly nextAt: number;
    }
  | {
      readonly role: 'leading';
      readonly seen: SeenLease | undefined | 'unknown';
      /** When the last renewal that the server confirmed was sent. */
      readonly renewedAt: number;
      readonly nextAt: number;
    }
  | { readonly role: 'lost'; readonly reason: string };

/** What came in. */
export type LeaseInput =
  /** The Lease was read, or a watch brought it. */
  | { readonly type: 'seen'; readonly lease: SeenLease | undefined }
  /** The server stored the record that was sent at this instant; `made`: there was no Lease before. */
  | { readonly type: 'stored'; readonly lease: SeenLease; readonly sentAt: number; readonly made: boolean }
  /** Somebody else had written meanwhile. */
  | { readonly type: 'refused' }
  /** No usable answer. */
  | { readonly type: 'failed' }
  /** Time passed. */
  | { readonly type: 'time' };

/** What to do next. */
export type LeaseAction =
  | { readonly do: 'read' }
  /** Store a record that names this process, if the Lease is still as it was seen; make it if there was none. */
  | { readonly do: 'write'; readonly over: SeenLease | undefined }
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'end'; readonly reason: string };

/** Where every process begins. */
export const initialLeaseState: LeaseState = { role: 'standby', seen: 'unknown', seenAt: 0, nextAt: Number.NEGATIVE_INFINITY };

/** The state after an input. */
export function leaseStep(state: LeaseState, input: LeaseInput, now: number, settings: LeaseSettings): LeaseState {
  switch (state.role) {
    case 'standby':
      return standbyStep(state, input, now, settings);
    case 'leading':
      // Whatever comes afterwards, even the answer to a renewal: who had to stop does not begin again.
      return mayAct(state, now, settings)
        ? leadingStep(state, input, now, settings)
        : lost(`it was not renewed for ${settings.renewDeadline / 1_000} s`);
    case 'lost':
      return state;
  }
}

/** Whether this process may act at this instant. */
export function mayAct(state: LeaseState, now: number, { renewDeadline }: LeaseTimes): boolean {
  return state.role === 'leading' && now < state.renewedAt + renewDeadline;
}

/** What a state asks for. */
export function leaseAction(state: LeaseState, now: number, settings: LeaseSettings): LeaseAction {
  if (state.role === 'lost') return { do: 'end', reason: state.reason };
  const { role, seen, nextAt } = state;
  const isWaiting = role === 'standby' && seen !== 'unknown';
  const at = isWaiting ? Math.max(nextAt, freeAt(seen, state.seenAt, settings)) : nextAt;
  if (now >= at) return seen === 'unknown' ? { do: 'read' } : { do: 'write', over: seen };
  return { do: 'wait', until: role === 'leading' ? Math.min(at, state.renewedAt + settings.renewDeadline) : at };
}

/**
 * When a Lease may be written. One that its holder let go of: at once. One that names a holder, this process included: once its record
 * stood still for a whole lease; the write is refused unless it stood still to the last. The times within the record are other machines'
 * and decide nothing. One that is absent: after the leader had its chance to make it again.
 */
function freeAt(seen: SeenLease | undefined, seenAt: number, { lease, retry }: LeaseSettings): number {
  if (seen === undefined) return seenAt + 2 * retry;
  if (seen.holder === '') return Number.NEGATIVE_INFINITY;
  const asked = (seen.seconds ?? 0) * 1_000;
  return seenAt + Math.max(lease, Number.isFinite(asked) ? Math.min(asked, longestLease) : 0);
}

type Standby = Extract<LeaseState, { role: 'standby' }>;

function standbyStep(state: Standby, input: LeaseInput, now: number, settings: LeaseSettings): LeaseState {
  switch (input.type) {
    case 'seen':
      return isNews(state.seen, input.lease) ? { ...state, seen: input.lease, seenAt: now } : state;
    case 'stored': {
      const { lease, sentAt, made } = input;
      // To make a Lease is not to hold it: a create has no precondition, so whoever led when it was deleted may act on until its deadline.
      // And what took too long to be confirmed is no longer good.
      if (made || now >= sentAt + settings.renewDeadline) return { ...state, seen: lease, seenAt: now };
      return { role: 'leading', seen: lease, renewedAt: sentAt, nextAt: sentAt + settings.retry };
    }
    case 'refused':
      return { ...state, seen: 'unknown', nextAt: now };
    case 'failed':
      return { ...state, nextAt: now + settings.retry };
    case 'time':
      return state;
  }
}

type Leading = Extract<LeaseState, { role: 'leading' }>;

function leadingStep(state: Leading, input: LeaseInput, now: number, settings: LeaseSettings): LeaseState {
  switch (input.type) {
    case 'seen':
      if (input.lease !== undefined && input.lease.holder !== '' && input.lease.holder !== settings.identity) {
        return lost(`it names ${input.lease.holder} as its holder now`);
      }
      // Ours, nobody's or gone: written anew at once. Whoever takes it meanwhile makes that write be refused.
      return { ...state, seen: input.lease, nextAt: now };
    case 'stored':
      return { ...state, seen: input.lease, renewedAt: input.sentAt, nextAt: input.sentAt + settings.retry };
    case 'refused':
      return { ...state, seen: 'unknown', nextAt: now };
    case 'failed':
      return { ...state, nextAt: now + settings.retry };
    case 'time':
      return state;
  }
}

function lost(reason: string): LeaseState {
  return { role: 'lost', reason };
}

/** Whether a record differs from the one that is known and is not older than it. */
function isNews(known: SeenLease | undefined | 'unknown', lease: SeenLease | undefined): boolean {
  if (known === 'unknown') return true;
  if (known === undefined || lease === undefined) return known !== lease;
  return known.resourceVersion !== lease.resourceVersion && !isOlderVersion(lease.resourceVersion, known.resourceVersion);
}
