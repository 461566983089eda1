// The one place that turns an answer of the API server (metav1.Status) or a broken connection into an OperatorError. No request is made here.
import type { ErrorCode } from '../model/catalogue.ts';
import { conflictHint, type Fate, type FieldConflict, formatConflicts, OperatorError, type Stage } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** A refusal as the server sent it; callers that decide by status find it as `cause` of the OperatorError. */
export class ApiStatus extends Error {
  override readonly name = 'ApiStatus';
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];

  constructor(status: number, reason: string, message: string, causes: readonly StatusCause[]) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }
}

/** metav1.StatusCause. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** What was attempted, for the text of an error. */
export interface Attempt {
  /** `apply Deployment shop/web`. */
  readonly doing: string;
  readonly stage: Stage;
  /** Takes values of a Secret out of the server's texts, which quote what they refuse. */
  readonly redact?: (text: string) => string;
}

/** HTTP status of the refusal behind an error, or undefined when the server did not answer. */
export function statusOf(error: unknown): number | undefined {
  return refusalOf(error)?.status;
}

/** The refusal behind an error, or undefined when the server did not answer. */
export function refusalOf(error: unknown): ApiStatus | undefined {
  return error instanceof OperatorError && error.cause instanceof ApiStatus ? error.cause : undefined;
}

/** A refusal as an OperatorError. `body` is the text of the answer, of any content type. */
export function refused(attempt: Attempt, status: number, body: string, retryAfterSeconds?: number): OperatorError {
  const answer = parseStatus(status, body, attempt.redact);
  const verdict = judge(answer);
  return new OperatorError(`${attempt.doing}: ${verdict.text}`, {
    code: verdict.code,
    stage: attempt.stage,
    fate: verdict.fate,
    cause: answer,
    ...(verdict.hint === undefined ? {} : { hint: verdict.hint }),
    ...(verdict.conflicts === undefined ? {} : { conflicts: verdict.conflicts }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** A connection that could not be made or broke, as an OperatorError. Aborts are passed through untouched. */
export function unreachable(attempt: Attempt, server: string, error: unknown): OperatorError {
  const why = error instanceof Error ? (error.message !== '' ? error.message : error.name) : String(error);
  return new OperatorError(`${attempt.doing}: no answer from the API server at ${server}: ${why}`, {
    code: 'ApiUnreachable',
    stage: attempt.stage,
    fate: 'transient',
    cause: error,
  });
}

/** An answer that makes no sense, as an OperatorError. */
export function unusable(attempt: Attempt, why: string): OperatorError {
  return new OperatorError(`${attempt.doing}: the answer of the API server cannot be used: ${why}`, {
    code: 'ApiUnreachable',
    stage: attempt.stage,
    fate: 'transient',
  });
}

interface Verdict {
  readonly code: ErrorCode;
  readonly fate: Fate;
  readonly text: string;
  readonly hint?: string;
  readonly conflicts?: readonly FieldConflict[];
}

/** Refusals that depend on the state of the cluster are transient (nobody tells us when it changes); those that depend on the object alone are terminal. */
function judge(answer: ApiStatus): Verdict {
  const { status, message } = answer;
  if (answer.causes.some((cause) => cause.reason === 'NamespaceTerminating')) {
    return {
      code: 'Terminating',
      fate: 'transient',
      text: 'the namespace is being deleted',
      hint: 'wait until it is gone, or choose another namespace',
    };
  }
  const denied = admission(message);
  if (denied !== undefined) return denied;
  if (status === 401) {
    return {
      code: 'Forbidden',
      fate: 'transient',
      text: "the API server did not accept the operator's credentials",
      hint: 'check the token or client certificate',
    };
  }
  if (status === 403) return forbidden(message);
  if (status === 409) return conflict(answer);
  if (status === 429) return { code: 'RateLimited', fate: 'transient', text: 'the API server asked to slow down' };
  if (status === 413 || /request is too large|exceeds the (maximum|max) size|trying to send message larger/i.test(message)) {
    return {
      code: 'ApplyRefused',
      fate: 'terminal',
      text: 'the object is larger than the API server accepts',
      hint: 'split it, or keep the data elsewhere',
    };
  }
  // Server-side apply answers 500 to an object that does not fit the schema.
  if (/^failed to (create typed patch object|convert new object)|error decoding from json/.test(message)) {
    return {
      code: 'ApplyRefused',
      fate: 'terminal',
      text: oneLine(message.replace(/^failed to .*?, Kind=\S*?\)(: | to proper version: )/, '')),
    };
  }
  if (status >= 500) return { code: 'ApiUnreachable', fate: 'transient', text: `the API server answered ${status}: ${message}` };
  return { code: 'ApplyRefused', fate: status === 404 || status === 410 ? 'transient' : 'terminal', text: explain(answer) };
}

/** Denials and failures of admission come with any status; their texts are fixed in apiserver's admission plugins. */
function admission(message: string): Verdict | undefined {
  const webhook = /admission webhook "([^"]+)" denied the request(?:: (.*))?/s.exec(message);
  if (webhook !== null) {
    return { code: 'AdmissionDenied', fate: 'transient', text: `webhook ${webhook[1]} denied it: ${webhook[2] ?? 'no reason given'}` };
  }
  const policy = /ValidatingAdmissionPolicy '([^']+)'(?: with binding '[^']+')? denied request: (.*)/s.exec(message);
  if (policy !== null)
    return { code: 'AdmissionDenied', fate: 'transient', text: `ValidatingAdmissionPolicy ${policy[1]} denied it: ${policy[2]}` };
  const noDryRun = /admission webhook "([^"]+)" does not support dry run/.exec(message);
  if (noDryRun !== null) {
    return {
      code: 'AdmissionUnavailable',
      fate: 'terminal',
      text: `webhook ${noDryRun[1]} does not support dry runs`,
      hint: 'set its sideEffects to None or NoneOnDryRun',
    };
  }
  const failing = /failed calling webhook "([^"]+)": (.*)/s.exec(message);
  if (failing !== null) {
    return {
      code: 'AdmissionUnavailable',
      fate: 'transient',
      text: `webhook ${failing[1]} could not be asked: ${failing[2]}`,
      hint: "check the webhook's Service and certificate",
    };
  }
  return undefined;
}

/** 403 is said by RBAC, and by admission plugins such as quota and Pod Security. */
function forbidden(message: string): Verdict {
  const rbac = /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(message);
  if (rbac !== null) {
    const [, user = '', verb = '', resource = '', group = '', named] = rbac;
    const namespace = resource === 'namespaces' ? undefined : named;
    const what = group === '' ? resource : `${resource}.${group}`;
    const where = namespace === undefined ? 'at cluster scope' : `in namespace ${namespace}`;
    return {
      code: 'Forbidden',
      fate: 'transient',
      text: `${formatUser(user)} may not ${verb} ${what} ${where}`,
      hint: `grant it with a ${namespace === undefined ? 'ClusterRole and ClusterRoleBinding' : `Role and RoleBinding in namespace ${namespace}`}: apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${verbsToGrant(
        verb,
      )
        .map((each) => `"${each}"`)
        .join(', ')}]`,
    };
  }
  const escalation = /user "([^"]*)" .*is attempting to grant RBAC permissions not currently held:\s*(.*)/s.exec(message);
  if (escalation !== null) {
    return {
      code: 'Forbidden',
      fate: 'transient',
      text: `${formatUser(escalation[1] ?? '')} may not grant permissions it does not hold: ${oneLine(escalation[2] ?? '')}`,
      hint: 'give it these permissions too, or the verb "escalate" or "bind" on the role',
    };
  }
  const plugin = /is forbidden: (.*)/s.exec(message)?.[1];
  if (plugin !== undefined && /exceeded quota|violates PodSecurity|(maximum|minimum|max|min) .* (usage|limit)|must specify/i.test(plugin)) {
    return { code: 'AdmissionDenied', fate: 'transient', text: oneLine(plugin) };
  }
  return { code: 'Forbidden', fate: 'transient', text: oneLine(message) };
}

/** Who may not write in one way would be told of the next one after the first is granted: all that applying needs, at once. */
function verbsToGrant(verb: string): readonly string[] {
  const writes = ['get', 'create', 'patch', 'delete'];
  return verb !== 'get' && writes.includes(verb) ? writes : [verb];
}

function conflict(answer: ApiStatus): Verdict {
  const owned = answer.causes.filter((cause) => cause.reason === 'FieldManagerConflict');
  if (owned.length > 0) {
    const conflicts = owned.map(({ field, message }) => ({ field, manager: /conflict with "([^"]+)"/.exec(message)?.[1] ?? 'unknown' }));
    return {
      code: 'ApplyConflict',
      fate: 'terminal',
      text: formatConflicts(conflicts),
      hint: conflictHint,
      conflicts,
    };
  }
  if (answer.reason === 'AlreadyExists') return { code: 'ApplyConflict', fate: 'transient', text: 'it exists already' };
  if (/is being deleted/.test(answer.message))
    return { code: 'Terminating', fate: 'transient', text: 'it is being deleted', hint: 'wait until its finalizers are done' };
  return { code: 'ApplyConflict', fate: 'transient', text: 'it changed at the same time' };
}

/** The server's causes, one per field, or its message. */
function explain(answer: ApiStatus): string {
  const causes = answer.causes.filter((cause) => cause.field !== '' && cause.message !== '');
  return causes.length === 0 ? oneLine(answer.message) : listed(causes.map((cause) => `${cause.field}: ${oneLine(cause.message)}`));
}

function formatUser(user: string): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return account === null ? `user ${user}` : `ServiceAccount ${account[1]}/${account[2]}`;
}

function listed(items: readonly string[]): string {
  const most = 8;
  return items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

/** One line without control characters, so that no log or terminal can be tricked by the text of a webhook. */
function oneLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 2_000);
}

function parseStatus(status: number, body: string, redact: (text: string) => string = (text) => text): ApiStatus {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (!isJsonObject(value) || value['kind'] !== 'Status')
    return new ApiStatus(status, '', redact(oneLine(body.slice(0, 500))) || `HTTP ${status}`, []);
  return parseStatusObject(value, status, redact);
}

/** A metav1.Status object, as answers and ERROR events of watches carry it. */
export function parseStatusObject(value: JsonObject, fallback = 500, redact: (text: string) => string = (text) => text): ApiStatus {
  const details = isJsonObject(value['details']) ? value['details'] : {};
  const causes = Array.isArray(details['causes']) ? (details['causes'] as readonly JsonValue[]).filter(isJsonObject) : [];
  return new ApiStatus(
    typeof value['code'] === 'number' ? value['code'] : fallback,
    asText(value['reason']),
    redact(asText(value['message'])),
    causes.map((cause) => ({ reason: asText(cause['reason']), message: redact(asText(cause['message'])), field: asText(cause['field']) })),
  );
}

function asText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
