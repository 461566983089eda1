// A plan as people and programs read it: steps, reasons, places in the source, fields before and after. It holds no manifest and no value of a Secret.
import type { FieldConflict } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import { formatPosition, type Manifest } from '../model/manifest.ts';
import { formatRef, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import { type ActionCounts, type Change, countActions, type Plan } from '../model/plan.ts';
import { declaredPart, type FieldChange, fieldChanges } from './field-changes.ts';
import { maskSecret, type ObjectPair } from './mask-secret.ts';

/** What the server says an object would become. */
export type Preview =
  | ({
      readonly kind: 'compared' /** Declared fields that others hold with other values. */;
      readonly conflicts?: readonly FieldConflict[];
    } & ObjectPair)
  /** The server refuses it. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It cannot be asked yet. */
  | { readonly kind: 'deferred'; readonly message: string };

/** One decision as it is shown. */
export interface DescribedChange {
  readonly action: Change['action'];
  readonly object: ObjectRef;
  readonly reason: string;
  readonly constructPath?: string;
  /** `apps/web.ts:4:3`. */
  readonly position?: string;
  /** Fields that differ; absent where it is not known or is all of the object. */
  readonly fields?: readonly FieldChange[];
  /** Fields that are taken from other field managers. */
  readonly takesOver?: readonly FieldConflict[];
  /** Fields whose live values `ignoreDifferences` leaves to others. */
  readonly leftToOthers?: readonly string[];
  /** What keeps it from being compared, or from being applied. */
  readonly note?: string;
}

/** One step as it is shown. */
export interface DescribedStep {
  readonly changes: readonly DescribedChange[];
  /** Objects that must be healthy before the next step, as people read them. */
  readonly waitHealthy: readonly string[];
}

/** Whether the plan would run. */
export type PlanVerdict =
  | { readonly kind: 'runs' }
  | { readonly kind: 'held'; readonly code: string; readonly message: string; readonly hint?: string }
  /** The Application is left alone for now. */
  | { readonly kind: 'suspended'; readonly message: string }
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] };

/** A plan as it is shown. JSON all the way down. */
export interface PlanDescription {
  readonly digest: string;
  readonly counts: ActionCounts;
  readonly steps: readonly DescribedStep[];
  /** What is left alone, and why: skips, conflicts, objects that are equal. */
  readonly others: readonly DescribedChange[];
}

/** Everything a description is made of. */
export interface DescribeRequest {
  readonly plan: Plan;
  readonly desired: readonly Manifest[];
  readonly inventory: Inventory;
  readonly previews: ReadonlyMap<ObjectKey, Preview>;
  /** Fields that are left to others. @default none */
  readonly ignored?: ReadonlyMap<ObjectKey, readonly string[]>;
}

/** Describes a plan. Guarantees: no value of a Secret is in it. */
export function describePlan(request: DescribeRequest): PlanDescription {
  const { plan } = request;
  const manifests = new Map(request.desired.map((manifest) => [manifest.key, manifest]));
  const describe = (change: Change): DescribedChange => describeChange(change, request, manifests);
  const inSteps = new Set(plan.steps.flatMap(({ changes }) => changes.map(({ key }) => key)));
  const nameOf = (key: ObjectKey): string => {
    const ref = manifests.get(key)?.ref;
    return ref === undefined ? key : formatRef(ref);
  };
  return {
    digest: plan.digest,
    counts: countActions(plan.changes),
    steps: plan.steps.map(({ changes, waitHealthy }) => ({ changes: changes.map(describe), waitHealthy: waitHealthy.map(nameOf) })),
    others: plan.changes.filter(({ key }) => !inSteps.has(key)).map(describe),
  };
}

/** The part of both states that is declared, without values of Secrets: what a textual diff may show. */
export function comparable({ before, after }: ObjectPair): ObjectPair {
  const masked = maskSecret({ before, after });
  return {
    before: masked.before === undefined ? undefined : declaredPart(masked.before),
    after: masked.after === undefined ? undefined : declaredPart(masked.after),
  };
}

function describeChange(
  change: Change,
  { inventory, previews, ignored }: DescribeRequest,
  manifests: ReadonlyMap<ObjectKey, Manifest>,
): DescribedChange {
  const { action, ref, key, reason } = change;
  const preview = previews.get(key);
  const leftToOthers = ignored?.get(key) ?? [];
  const isWrite = action === 'create' || action === 'update';
  return {
    action,
    object: ref,
    reason,
    ...placeOf(manifests.get(key), inventory, key),
    ...(preview === undefined ? {} : shownPreview(preview)),
    ...(isWrite && preview?.kind === 'compared' && preview.conflicts !== undefined ? { takesOver: preview.conflicts } : {}),
    ...(leftToOthers.length === 0 ? {} : { leftToOthers }),
  };
}

/** Where Git declares it now, or declared it when it was last applied. */
function placeOf(
  manifest: Manifest | undefined,
  inventory: Inventory,
  key: ObjectKey,
): Pick<DescribedChange, 'constructPath' | 'position'> {
  const entry = inventory.get(key);
  const frame = manifest?.origin.frames[0];
  const constructPath = manifest === undefined ? entry?.constructPath : manifest.origin.constructPath;
  const position = manifest === undefined ? entry?.position.split(' < ')[0] : frame && formatPosition(frame);
  return { ...(constructPath ? { constructPath } : {}), ...(position ? { position } : {}) };
}

function shownPreview(preview: Preview): Pick<DescribedChange, 'fields' | 'note'> {
  if (preview.kind !== 'compared') return { note: preview.message };
  const { before, after } = maskSecret(preview);
  return before === undefined || after === undefined ? {} : { fields: fieldChanges(before, after) };
}
