// The one typed event stream. Log, metrics, Kubernetes Events and streams subscribe; stages never write to any of them.
import type { OperatorError } from './error.ts';
import type { Finding } from './finding.ts';
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
  /** One turn in the work queue. */
  | { readonly type: 'worked'; readonly waitedSeconds: number; readonly workedSeconds: number; readonly retry: boolean }
  | { readonly type: 'application-removed'; readonly application: ApplicationKey }
  | { readonly type: 'request'; readonly method: string; readonly code: number; readonly host: string }
  | { readonly type: 'failure'; readonly application?: ApplicationKey; readonly error: OperatorError };

/** Where events go. */
export type EmitEvent = (event: OperatorEvent) => void;
