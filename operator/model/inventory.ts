// What an Application owns, by UID. How it is stored and chunked is cluster/'s matter.
import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { Baseline } from './observed.ts';

/** One owned object. Widened before the first write (uid ''), completed after it, removed after a confirmed deletion. */
export interface InventoryEntry {
  readonly ref: ObjectRef;
  /** '' until the server has answered our first apply. */
  readonly uid: string;
  /** Digest of the manifest last applied; '' until then. */
  readonly digest: string;
  readonly baseline?: Baseline;
  /** Entered again after an inventory was lost, from the marks on the live object alone: never a reason to delete it. */
  readonly lost?: boolean;
  readonly constructPath: string;
  /** `apps/web.ts:4:3 < main.ts:9:1`, as of `revision`; '' when unknown. */
  readonly position: string;
  /** Commit whose sync last applied this object. */
  readonly revision: string;
}

/** Everything one Application owns. */
export type Inventory = ReadonlyMap<ObjectKey, InventoryEntry>;
