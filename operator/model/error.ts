// Failures that are not a user's finding: coded, with a fate that decides about retry in one place (reconcile/retry.ts).
import type { ErrorCode } from './catalogue.ts';

/** The stage that failed. */
export type Stage = 'source' | 'synth' | 'validate' | 'plan' | 'apply' | 'observe' | 'health' | 'status' | 'cluster' | 'config' | 'api';

/** `terminal`: the same input fails again, wait for a change. `transient`: try again with back-off. */
export type Fate = 'terminal' | 'transient';

/** A field that another field manager holds. */
export interface FieldConflict {
  /** `.spec.replicas`. */
  readonly field: string;
  readonly manager: string;
}

/** What an OperatorError carries besides its message. */
export interface OperatorErrorDetails {
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly fate: Fate;
  /** What the reader should do next. */
  readonly hint?: string;
  /** Seconds the other side asked us to wait. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
  /** Of `ApplyConflict`: who holds which field. */
  readonly conflicts?: readonly FieldConflict[];
}

/** An error with a documented code. The message says what was attempted on what, and never holds a secret. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly fate: Fate;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly conflicts: readonly FieldConflict[];

  constructor(message: string, details: OperatorErrorDetails) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.stage = details.stage;
    this.fate = details.fate;
    this.hint = details.hint;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.conflicts = details.conflicts ?? [];
  }
}

/** Any thrown value as an OperatorError: unknown ones become `Internal`, transient. */
export function toOperatorError(error: unknown, stage: Stage): OperatorError {
  if (error instanceof OperatorError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new OperatorError(`unexpected failure in ${stage}: ${text}`, { code: 'Internal', stage, fate: 'transient', cause: error });
}

/** The one sentence shown to people: message and hint. */
export function formatError(error: OperatorError): string {
  return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
}

/** `field manager conflict on .spec.replicas (kubectl)`. */
export function formatConflicts(conflicts: readonly FieldConflict[]): string {
  const most = 8;
  const told = conflicts.slice(0, most).map(({ field, manager }) => `${field} (${manager})`);
  const more = conflicts.length > most ? ` and ${conflicts.length - most} more` : '';
  return `field manager conflict on ${told.join(', ')}${more}`;
}

/** What to do about fields that other managers hold. */
export const conflictHint = 'stop declaring the fields, list them under sync.ignoreDifferences, or set sync.conflicts to Force';
