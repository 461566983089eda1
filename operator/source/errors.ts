// Makes the OperatorErrors of this stage. Which failure is which is decided where it is met.
import type { ErrorCode } from '../model/catalogue.ts';
import { type Fate, OperatorError } from '../model/error.ts';

const terminal: ReadonlySet<ErrorCode> = new Set([
  'InvalidURL',
  'HostNotAllowed',
  'RepositoryNotFound',
  'AuthFailed',
  'RefNotFound',
  'RepoTooLarge',
  'NotFastForward',
  'UnsafePath',
]);

/** What a source error carries besides code and message. */
export interface SourceErrorDetails {
  readonly hint?: string;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An OperatorError of the source stage; its fate follows from its code. */
export function sourceError(code: ErrorCode, message: string, details: SourceErrorDetails = {}): OperatorError {
  const fate: Fate = terminal.has(code) ? 'terminal' : 'transient';
  return new OperatorError(message, { code, stage: 'source', fate, ...details });
}

/** Text that came from a server, fit to be shown: one line, no control characters, at most 200 characters. */
export function quoteRemote(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return `"${line.length > 200 ? `${line.slice(0, 200)}…` : line}"`;
}
