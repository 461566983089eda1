// What planning is given: plain values read beforehand. No client, no clock.

import type { FieldConflict } from '../model/error.ts';
import type { ApplicationKey } from '../model/event.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import { foreignOwnerOf } from '../model/tracking.ts';

/** The parts of `spec.sync` that decide what a plan holds. */
export interface PlanPolicy {
  /** Delete what Git no longer declares. */
  readonly prune: boolean;
  /** Write objects that differ from Git although Git did not change. A sync asked for by a person passes true. */
  readonly selfHeal: boolean;
}

/** Everything a plan is made of. */
export interface PlanRequest {
  readonly desired: readonly Manifest[];
  readonly inventory: Inventory;
  /**
   * Live metadata by key; undefined means absent. Assumes: for every key of `desired` and `inventory` the answer is known, by watch or by
   * a GET (an object whose label was taken away leaves the watch but not the cluster).
   */
  readonly observed: (key: ObjectKey) => ObservedObject | undefined;
  /** Objects that drifted, or may have: written again although their digest is unchanged. */
  readonly suspects: ReadonlySet<ObjectKey>;
  readonly policy: PlanPolicy;
  /** API groups that do not answer: nothing of them is known to be absent, so nothing of them is pruned. */
  readonly failedGroups?: ReadonlySet<string>;
  /** Fields that other managers hold and that must not be taken from them. @default none */
  readonly heldFields?: ReadonlyMap<ObjectKey, readonly FieldConflict[]>;
  /** The Application that syncs. */
  readonly owner: { readonly namespace: string; readonly name: string };
  /** The other Application that has an object, by all that is known. @default what the object's own marks say */
  readonly holder?: (key: ObjectKey, live: ObservedObject | undefined) => ApplicationKey | undefined;
  /** Another Application that declares an object of ours and would take it over. @default none */
  readonly claimant?: (key: ObjectKey) => ApplicationKey | undefined;
}

/** The other Application that has an object. */
export function holderOf(request: PlanRequest, key: ObjectKey, live: ObservedObject | undefined): ApplicationKey | undefined {
  if (request.holder !== undefined) return request.holder(key, live);
  return live === undefined ? undefined : foreignOwnerOf(live, request.owner);
}
