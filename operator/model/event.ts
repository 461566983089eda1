// The one typed event stream. Log, metrics, Kubernetes Events and streams subscribe; stages never write to any of them.
import type { Adoption } from './adoption.ts';
import type { OperatorError } from './error.ts';
import type { Finding } from './finding.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Drift } from './observed.ts';
import type { Fight, Outcome, TakenOver } from './outcome.ts';
import type { Revision } from './revision.ts';

/** Name of an Application: `namespace/name`. */
export type ApplicationKey = string & { readonly __applicationKey?: never };

/** Everything the operator says about itself. */
export type OperatorEvent =
  | { readonly type: 'revision-seen'; readonly application: ApplicationKey; readonly revision: Revision; readonly previous?: string }
  | { readonly type: 'history-rewritten'; readonly application: ApplicationKey; readonly from: string; readonly to: string }
  | { readonly type: 'source-fetched'; readonly url: string; readonly result: 'changed' | 'unchanged' | 'failed'; readonly seconds: number }
  | {
      readonly type: 'synthesized';
      readonly application: ApplicationKey;
      readonly objects: number;
      readonly seconds: number;
      readonly cached: boolean;
    }
  /** Another Application declares an object of this one. */
  | { readonly type: 'claimed'; readonly application: ApplicationKey; readonly by: ApplicationKey; readonly ref: ObjectRef }
  | { readonly type: 'adopted'; readonly application: ApplicationKey; readonly adopted: readonly Adoption[] }
  /** The stored inventory was lost or damaged and was made again from the marks on live objects. */
  | { readonly type: 'inventory-rebuilt'; readonly application: ApplicationKey; readonly why: string; readonly found: number }
  | { readonly type: 'drift'; readonly application: ApplicationKey; readonly drift: Drift }
  | { readonly type: 'fields-taken-over'; readonly application: ApplicationKey; readonly takenOver: TakenOver }
  /** Told each time a heal is held back because somebody undoes it again and again. */
  | { readonly type: 'fight'; readonly application: ApplicationKey; readonly fight: Fight }
  | { readonly type: 'mutated-by-admission'; readonly application: ApplicationKey; readonly finding: Finding }
  | {
      readonly type: 'reconciled';
      readonly application: ApplicationKey;
      readonly uid: string;
      readonly syncId: string;
      readonly outcome: Outcome;
    }
  /** An Application is left alone from now on, or no longer (undefined); then the reason is the one that was. */
  | {
      readonly type: 'suspension';
      readonly application: ApplicationKey;
      readonly message: string | undefined;
      readonly reason: 'Suspended' | 'Paused';
    }
  /** The whole installation is paused from now on, or no longer (undefined). */
  | { readonly type: 'pause'; readonly message: string | undefined }
  /** One turn in the work queue. */
  | { readonly type: 'worked'; readonly waitedSeconds: number; readonly workedSeconds: number; readonly retry: boolean }
  | { readonly type: 'application-removed'; readonly application: ApplicationKey }
  /** This operator began to wait, to lead, or to wait for another leader; or it let go or lost the lease. */
  | {
      readonly type: 'leadership';
      readonly role: 'standby' | 'leading' | 'released' | 'lost';
      /** Name of the Lease. */
      readonly lease: string;
      readonly identity: string;
      /** Who leads, as far as is known. */
      readonly holder?: string;
      /** Why it was lost. */
      readonly reason?: string;
    }
  | { readonly type: 'request'; readonly method: string; readonly code: number; readonly host: string }
  | { readonly type: 'failure'; readonly application?: ApplicationKey; readonly error: OperatorError };

/** Where events go. */
export type EmitEvent = (event: OperatorEvent) => void;
