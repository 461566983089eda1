// The conditions of an Application from one outcome, by the rules of kstatus. Transition times of the previous status are kept elsewhere.
import type { Condition, ConditionType } from '../model/condition.ts';
import { formatError, type OperatorError } from '../model/error.ts';
import { type Finding, formatFinding } from '../model/finding.ts';
import type { ApplicationHealth } from '../model/health.ts';
import { formatRef, moreObjects } from '../model/object-ref.ts';
import type { Outcome } from '../model/outcome.ts';
import { shortSha } from '../model/revision.ts';
import { cutText, messageLimit } from './limits.ts';

/** What a condition says, without when and for which generation. */
interface Statement {
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

type Statements = Readonly<Record<ConditionType, Statement>>;

/**
 * Ready, Reconciling, Stalled, Synced and Healthy, always all five.
 * Guarantees: Ready is True only when everything of the commit is applied and healthy; at most one of Reconciling and Stalled is True.
 */
export function conditionsOf(outcome: Outcome, lastSynced: string | undefined): readonly Condition[] {
  const statements = statementsOf(outcome, lastSynced);
  const order: readonly ConditionType[] = ['Ready', 'Reconciling', 'Stalled', 'Synced', 'Healthy'];
  return order.map((type) => ({
    type,
    ...statements[type],
    message: cutText(statements[type].message, messageLimit),
    lastTransitionTime: outcome.finishedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    observedGeneration: outcome.observedGeneration,
  }));
}

function statementsOf(outcome: Outcome, lastSynced: string | undefined): Statements {
  const { result, health } = outcome;
  const healthy = healthStatement(health);
  switch (result.kind) {
    case 'synced':
      return afterSync(isWell(health), syncedMessage(outcome), healthy, health);
    case 'progressing':
      return afterSync(false, syncedMessage(outcome), { ...healthy, message: healthy.message || result.message }, health);
    case 'applying': {
      const statement: Statement = { status: 'False', reason: 'Progressing', message: result.message };
      return { ...stopped(statement, 'False', no, healthy), Reconciling: { ...statement, status: 'True' } };
    }
    case 'out-of-sync':
      return stopped({ status: 'False', reason: 'OutOfSync', message: result.message }, 'False', no, healthy);
    case 'suspended': {
      const reason = result.cause === 'pause' || result.cause === 'unknown' ? 'Paused' : 'Suspended';
      return stopped({ status: 'False', reason, message: result.message }, 'Unknown', no, healthy);
    }
    case 'rejected': {
      const message = rejectedMessage(outcome, result.findings, lastSynced);
      const statement: Statement = { status: 'False', reason: firstError(result.findings)?.code ?? 'Rejected', message };
      return stopped(statement, 'False', { ...statement, status: 'True' }, healthy);
    }
    case 'failed':
      return failedStatements(outcome, result.error, result.objects.length, lastSynced, healthy);
  }
}

/** Everything of the commit is applied; health decides whether the Application is ready. */
function afterSync(ready: boolean, synced: string, healthy: Statement, health: ApplicationHealth): Statements {
  const moving = health.state === 'Progressing' || health.state === 'Missing';
  return {
    Ready: ready
      ? { status: 'True', reason: 'Synced', message: synced }
      : { status: 'False', reason: healthy.reason, message: `${synced}; ${healthy.message}` },
    Reconciling: !ready && moving ? { status: 'True', reason: 'Progressing', message: healthy.message } : no,
    Stalled: no,
    Synced: { status: 'True', reason: 'Synced', message: synced },
    Healthy: healthy,
  };
}

/** Nothing is under way. */
function stopped(statement: Statement, synced: Condition['status'], stalled: Statement, healthy: Statement): Statements {
  return { Ready: statement, Reconciling: no, Stalled: stalled, Synced: { ...statement, status: synced }, Healthy: healthy };
}

function failedStatements(
  outcome: Outcome,
  error: OperatorError,
  failedObjects: number,
  lastSynced: string | undefined,
  healthy: Statement,
): Statements {
  const more = moreObjects(failedObjects);
  const where = error.stage === 'health' ? '' : `; ${staysAt(lastSynced)}`;
  const statement: Statement = { status: 'False', reason: error.code, message: `${formatError(error)}${more}${where}` };
  const waits = error.fate === 'terminal';
  const applied = error.stage === 'health';
  const compared = applied || error.stage === 'plan' || error.stage === 'apply';
  return {
    Ready: statement,
    Reconciling: waits ? no : { status: 'True', reason: 'Retrying', message: statement.message },
    Stalled: waits ? { ...statement, status: 'True' } : no,
    Synced: applied
      ? { status: 'True', reason: 'Synced', message: syncedMessage(outcome) }
      : { ...statement, status: compared ? 'False' : 'Unknown' },
    Healthy: healthy,
  };
}

const no: Statement = { status: 'False', reason: 'NotApplicable', message: '' };

function isWell(health: ApplicationHealth): boolean {
  return health.state === 'Healthy' || health.state === 'Suspended';
}

function healthStatement(health: ApplicationHealth): Statement {
  const about = health.decidedBy === undefined ? '' : `${formatRef(health.decidedBy)}: `;
  const message = health.message === '' ? '' : `${about}${health.message}`;
  const status = isWell(health) ? 'True' : health.state === 'Unknown' ? 'Unknown' : 'False';
  return { status, reason: health.state, message: message === '' && isWell(health) ? 'all objects are healthy' : message };
}

function syncedMessage({ owned, revision }: Outcome): string {
  const objects = owned === 1 ? '1 object equals' : `${owned} objects equal`;
  return revision === undefined ? `${objects} Git` : `${objects} commit ${shortSha(revision.sha)}`;
}

function rejectedMessage({ revision }: Outcome, findings: readonly Finding[], lastSynced: string | undefined): string {
  const first = firstError(findings);
  const others = findings.filter((finding) => finding.severity === 'error').length - 1;
  const more = others > 0 ? ` (and ${others} more in status.findings)` : '';
  const commit = revision === undefined ? 'the commit' : `commit ${shortSha(revision.sha)}`;
  return `${commit} is refused: ${first === undefined ? 'it has findings' : formatFinding(first)}${more}; ${staysAt(lastSynced)}`;
}

function firstError(findings: readonly Finding[]): Finding | undefined {
  return findings.find((finding) => finding.severity === 'error');
}

function staysAt(lastSynced: string | undefined): string {
  return lastSynced === undefined ? 'nothing was applied' : `the cluster stays at ${shortSha(lastSynced)}`;
}
