// What the operator says about itself → what an Application's Kubernetes Events say. Pure; writing and joining them is in events.ts.
import { formatAdoptions } from '../model/adoption.ts';
import { formatError, type OperatorError } from '../model/error.ts';
import type { ApplicationKey, OperatorEvent } from '../model/event.ts';
import { formatFinding } from '../model/finding.ts';
import { formatRef } from '../model/object-ref.ts';
import type { Drift } from '../model/observed.ts';
import type { Fight, Outcome, TakenOver } from '../model/outcome.ts';
import { shortSha } from '../model/revision.ts';

/** One thing to tell about an Application. */
export interface EventNote {
  readonly application: ApplicationKey;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: machines may match it. */
  readonly reason: string;
  /** What the operator was doing. */
  readonly action: 'Sync' | 'Observe' | 'Fetch';
  readonly text: string;
  readonly revision?: string;
}

/** The note of an event; undefined when it is nothing to tell. Whether it repeats what was told is the writer's matter. */
export function noteOf(event: OperatorEvent): EventNote | undefined {
  switch (event.type) {
    case 'reconciled':
      return noteOfOutcome(event.application, event.outcome);
    case 'drift':
      return noteOfDrift(event.application, event.drift);
    case 'suspension': {
      const { application, message, reason } = event;
      const about = { application, action: 'Sync' } as const;
      if (message !== undefined) return { ...about, type: reason === 'Paused' ? 'Warning' : 'Normal', reason, text: message };
      return { ...about, type: 'Normal', reason: 'Resumed', text: `no longer ${reason.toLowerCase()}: syncs and heals go on` };
    }
    case 'fields-taken-over':
      return noteOfTakenOver(event.application, event.takenOver);
    case 'fight':
      return noteOfFight(event.application, event.fight);
    case 'mutated-by-admission': {
      const { application, finding } = event;
      return { application, type: 'Warning', reason: finding.code, action: 'Sync', text: formatFinding(finding) };
    }
    case 'history-rewritten': {
      const text = `the branch was rewritten from ${shortSha(event.from)} to ${shortSha(event.to)}`;
      return { application: event.application, type: 'Warning', reason: 'HistoryRewritten', action: 'Fetch', text, revision: event.to };
    }
    case 'claimed': {
      const text = `${formatRef(event.ref)}: Application ${event.by} declares it too; it stays with this one; declare it in one of the two only`;
      return { application: event.application, type: 'Warning', reason: 'ClaimedByAnother', action: 'Sync', text };
    }
    case 'adopted': {
      const text = `adopted ${formatAdoptions(event.adopted)}`;
      return { application: event.application, type: 'Normal', reason: 'Adopted', action: 'Sync', text };
    }
    case 'inventory-rebuilt': {
      const text = `the inventory was rebuilt from the marks on ${event.found} live objects, and nothing is pruned in this sync: ${event.why}`;
      return { application: event.application, type: 'Warning', reason: 'InventoryRebuilt', action: 'Sync', text };
    }
    case 'failure':
      return event.application === undefined ? undefined : noteOfFailure(event.application, event.error, {});
    default:
      return undefined;
  }
}

function noteOfOutcome(application: ApplicationKey, outcome: Outcome): EventNote | undefined {
  const { result, revision } = outcome;
  const about = revision === undefined ? {} : { revision: revision.sha };
  const commit = revision === undefined ? '' : ` ${shortSha(revision.sha)} "${revision.subject}" by ${revision.author}`;
  switch (result.kind) {
    case 'synced':
      if (!result.changed && outcome.total === undefined) return undefined;
      return { application, type: 'Normal', reason: 'Synced', action: 'Sync', text: `synced${commit}: ${countsText(outcome)}`, ...about };
    case 'progressing':
      return {
        application,
        type: 'Normal',
        reason: 'Progressing',
        action: 'Sync',
        text: `${appliedText(outcome, commit)}; ${result.message}`,
        ...about,
      };
    case 'out-of-sync':
      return { application, type: 'Warning', reason: 'OutOfSync', action: 'Observe', text: result.message, ...about };
    case 'rejected': {
      const errors = result.findings.filter(({ severity }) => severity === 'error');
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
      const first = errors[0] === undefined ? 'no finding is told' : formatFinding(errors[0]);
      return {
        application,
        type: 'Warning',
        reason: errors[0]?.code ?? 'Rejected',
        action: 'Sync',
        text: `rejected${commit}: ${first}${more}`,
        ...about,
      };
    }
    case 'failed':
      return noteOfFailure(application, result.error, about);
    case 'applying':
    case 'suspended':
      return undefined;
  }
}

function noteOfFailure(application: ApplicationKey, error: OperatorError, about: { readonly revision?: string }): EventNote {
  const action = error.stage === 'source' ? 'Fetch' : error.stage === 'observe' || error.stage === 'health' ? 'Observe' : 'Sync';
  return { application, type: 'Warning', reason: error.code, action, text: formatError(error), ...about };
}

function noteOfDrift(application: ApplicationKey, drift: Drift): EventNote {
  const by = drift.manager === 'unknown' ? 'by an unknown manager' : `by ${drift.manager}`;
  const what = drift.kind === 'deleted' ? 'deleted' : `${drift.fields.join(', ')} ${drift.kind} ${by}`.trim();
  const text = `${formatRef(drift.ref)}: ${what}${drift.healed ? '; put right' : ''}`;
  return {
    application,
    type: drift.healed ? 'Normal' : 'Warning',
    reason: drift.healed ? 'DriftHealed' : 'DriftDetected',
    action: 'Observe',
    text,
  };
}

function noteOfTakenOver(application: ApplicationKey, { ref, fields }: TakenOver): EventNote {
  const managers = [...new Set(fields.map(({ manager }) => manager))].sort();
  const from = managers.map((manager) => {
    const taken = fields.filter((field) => field.manager === manager).map(({ field }) => field);
    return `${taken.join(', ')} from ${manager}`;
  });
  const text = `${formatRef(ref)}: took ${from.join('; ')}`;
  return { application, type: 'Normal', reason: 'FieldsTakenOver', action: 'Sync', text };
}

/** The text stays the same while the fight goes on, so that it becomes one Event that is counted. */
function noteOfFight(application: ApplicationKey, { ref, manager }: Fight): EventNote {
  const who = manager === 'unknown' ? 'somebody' : manager;
  const text = `${formatRef(ref)}: each heal is undone by ${who}; it is healed more and more rarely: stop ${who}, change it in Git, or list the fields under ignoreDifferences`;
  return { application, type: 'Warning', reason: 'FightDetected', action: 'Observe', text };
}

function appliedText(outcome: Outcome, commit: string): string {
  const { create, update, prune } = outcome.counts;
  return create + update + prune === 0 ? `applied${commit}` : `applied${commit}: ${countsText(outcome)}`;
}

function countsText({ counts: own, total: counts = own }: Outcome): string {
  const told = (['create', 'update', 'prune'] as const).filter((action) => counts[action] > 0);
  const words = { create: 'created', update: 'updated', prune: 'pruned' };
  // What was written was told while it was waited for.
  return told.length === 0
    ? 'everything that was applied is healthy'
    : told.map((action) => `${counts[action]} ${words[action]}`).join(', ');
}
