// The first write of an object: it takes what is there, or makes what is not, and nothing that came in between. Whose it may be was decided in plan/.
import { OperatorError } from '../model/error.ts';
import type { TenantIdentity } from '../model/identity.ts';
import type { JsonObject } from '../model/json.ts';
import type { ManagedFields } from '../model/observed.ts';
import type { WriteChange } from '../model/plan.ts';
import { takeOverFields } from './migrate-ownership.ts';
import type { ObjectWriter } from './ports.ts';

/** An object as it is known before its first write. */
export interface Claim {
  /** Undefined: it is not there, and the write must be what makes it. */
  readonly resourceVersion?: string;
  readonly managedFields: readonly ManagedFields[];
}

/** What a first write needs. */
export interface ClaimContext {
  readonly writer: ObjectWriter;
  readonly identity: TenantIdentity;
  readonly force: boolean;
  /** Looks again after somebody wrote in between; undefined when the object is not the one that was decided on any more. Throws OperatorError. */
  readonly reclaim?: ((change: WriteChange) => Promise<Claim | undefined>) | undefined;
}

/**
 * A version that no object ever has: etcd counts from 1 before anything is stored. An apply that names it makes an object, which has no
 * version to compare yet, and is refused where there is one.
 */
const versionOfNone = '1';
/** Controllers may write an object many times a second. */
const tries = 5;

/**
 * Applies an object for the first time.
 * Guarantees: of several who make it at the same moment one succeeds; fields that tools held which declare whole objects are ours afterwards.
 * Throws OperatorError: `ApplyConflict` when another object came in between.
 */
export async function claimObject(context: ClaimContext, change: WriteChange, first: Claim, signal: AbortSignal): Promise<JsonObject> {
  let claim = first;
  for (let left = tries; ; left -= 1) {
    try {
      const resourceVersion = (await takeOver(context, change, claim, signal)) ?? claim.resourceVersion ?? versionOfNone;
      const options = { dryRun: false, force: context.force, resourceVersion };
      return await context.writer.apply(context.identity, change.manifest.object, options, signal);
    } catch (error) {
      if (!(error instanceof OperatorError) || error.code !== 'ApplyConflict' || left <= 1) throw error;
      const next = await context.reclaim?.(change);
      // The same version again: it is not the version that is in conflict.
      if (next === undefined || next.resourceVersion === claim.resourceVersion) throw error;
      claim = next;
    }
  }
}

/** Makes the fields of declaring tools ours; returns the resource version after it, undefined when there was nothing to take over. */
async function takeOver(
  { writer, identity }: ClaimContext,
  change: WriteChange,
  claim: Claim,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (change.adoptedFrom === undefined || claim.resourceVersion === undefined) return undefined;
  const managedFields = takeOverFields(claim.managedFields, change.ref.apiVersion);
  if (managedFields === undefined) return undefined;
  return writer.replaceManagedFields(identity, change.ref, { managedFields, resourceVersion: claim.resourceVersion }, signal);
}
