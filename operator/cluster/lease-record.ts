// A Lease (coordination.k8s.io/v1) as other controllers and `kubectl get lease` read it: what we take from one and what we write into one. Pure.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { SeenLease } from './lease-step.ts';

/** Where a Lease is. */
export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** Who holds a Lease from when on. */
export interface LeaseHolder {
  readonly identity: string;
  readonly leaseMilliseconds: number;
  /** Wall clock, for people. */
  readonly now: Date;
  /** Where the holder answers HTTP, for the other replicas. */
  readonly address?: string;
}

/** Annotation of the Lease: where its holder answers HTTP. */
export const addressAnnotation = 'setpoint.dev/leader-address';

const largestInt32 = 2_147_483_647;

/** What an election needs of a stored Lease. Never throws: whatever was written into it, somebody must be able to take it. */
export function parseLease(object: JsonObject): SeenLease {
  const spec = objectAt(object, 'spec');
  const { holderIdentity, leaseDurationSeconds } = spec;
  return {
    resourceVersion: textOf(objectAt(object, 'metadata')['resourceVersion']),
    holder: textOf(holderIdentity),
    seconds: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds : undefined,
    object,
  };
}

/** Where the holder of a Lease answers HTTP, as it says itself. */
export function leaderAddress({ holder, object }: SeenLease): string | undefined {
  const address = textOf(objectAt(objectAt(object, 'metadata'), 'annotations')[addressAnnotation]);
  return address === '' || holder === '' ? undefined : address;
}

/** The Lease with its holder named, or a new one. What others added to it stays; with its resourceVersion, so that it is stored only if nobody wrote meanwhile. */
export function heldLease(name: LeaseName, before: JsonObject | undefined, holder: LeaseHolder): JsonObject {
  const spec = objectAt(before, 'spec');
  const isRenewal = spec['holderIdentity'] === holder.identity;
  const now = microTime(holder.now);
  return withSpec(
    name,
    before,
    {
      ...spec,
      holderIdentity: holder.identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(holder.leaseMilliseconds / 1_000)),
      acquireTime: isRenewal && typeof spec['acquireTime'] === 'string' ? spec['acquireTime'] : now,
      renewTime: now,
      leaseTransitions: isRenewal ? transitionsOf(spec) : transitionsOf(spec) + (before === undefined || isFresh(spec) ? 0 : 1),
    },
    holder.address,
  );
}

/** The Lease without a holder: anybody may take it at once. */
export function releasedLease(name: LeaseName, before: JsonObject, now: Date): JsonObject {
  const { holderIdentity: _, ...spec } = objectAt(before, 'spec');
  const time = microTime(now);
  return withSpec(name, before, { ...spec, leaseDurationSeconds: 1, acquireTime: time, renewTime: time });
}

function withSpec({ namespace, name }: LeaseName, before: JsonObject | undefined, spec: JsonObject, address?: string): JsonObject {
  const metadata = objectAt(before, 'metadata');
  const { [addressAnnotation]: _, ...others } = objectAt(metadata, 'annotations');
  const annotations = address === undefined ? others : { ...others, [addressAnnotation]: address };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...metadata, namespace, name, annotations }, spec };
}

/** A Lease that nobody held yet: the one the install brings. */
function isFresh(spec: JsonObject): boolean {
  return spec['acquireTime'] === undefined && spec['leaseTransitions'] === undefined;
}

function transitionsOf({ leaseTransitions }: JsonObject): number {
  const isCount = typeof leaseTransitions === 'number' && leaseTransitions >= 0 && leaseTransitions < largestInt32;
  return isCount ? leaseTransitions : 0;
}

/** metav1.MicroTime. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

function objectAt(object: JsonObject | undefined, member: string): JsonObject {
  const value = object?.[member];
  return isJsonObject(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
