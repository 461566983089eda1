// What becomes of status.history after a look. Nothing about conditions or the present state.

import { formatAdoptions } from '../model/adoption.ts';
import type { ApplicationStatus } from '../model/application.ts';
import { formatError } from '../model/error.ts';
import { formatFinding } from '../model/finding.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
import { type ActionCounts, addCounts } from '../model/plan.ts';
import { cutText, shortTextLimit } from './limits.ts';

type History = NonNullable<ApplicationStatus['history']>;
type HistoryEntry = History[number];

/**
 * The history with this look added, newest first.
 * Guarantees: a look that wrote nothing and ended as the last one did adds nothing; the end of a sync that was waiting for health, and
 * the next heal of the same commit, continue the entry of the first instead of adding one.
 */
export function nextHistory(outcome: Outcome, previous: History, limit: number): History {
  const result = resultOf(outcome.result);
  if (result === undefined) return previous.slice(0, limit);
  const entry = entryOf(outcome, result);
  const [last, ...older] = previous;
  if (last !== undefined && saysNothingNew(entry, last)) return previous.slice(0, limit);
  if (last !== undefined && continues(entry, last)) {
    return [
      {
        ...(last.adopted === undefined ? {} : { adopted: last.adopted }),
        ...entry,
        ...{ startedAt: last.startedAt, initiatedBy: last.initiatedBy, counts: addCounts(last.counts, entry.counts) },
      },
      ...older,
    ].slice(0, limit);
  }
  return [entry, ...previous].slice(0, limit);
}

function resultOf(result: SyncResult): HistoryEntry['result'] | undefined {
  switch (result.kind) {
    case 'synced':
      return 'Synced';
    case 'out-of-sync':
      return 'OutOfSync';
    case 'rejected':
      return 'Rejected';
    case 'failed':
      return 'Failed';
    case 'progressing':
      return 'Progressing';
    case 'applying':
    case 'suspended':
      return undefined;
  }
}

function entryOf(outcome: Outcome, result: HistoryEntry['result']): HistoryEntry {
  const { revision } = outcome;
  const message = messageOf(outcome.result);
  const { adopted = [] } = outcome;
  return {
    ...(revision === undefined
      ? {}
      : {
          revision: revision.sha,
          author: cutText(revision.author, shortTextLimit),
          date: revision.date,
          subject: cutText(revision.subject, shortTextLimit),
        }),
    startedAt: outcome.startedAt.toISOString(),
    finishedAt: outcome.finishedAt.toISOString(),
    initiatedBy: cutText(outcome.initiatedBy, shortTextLimit),
    result,
    ...(message === '' ? {} : { message: cutText(message, shortTextLimit * 2) }),
    ...(adopted.length === 0 ? {} : { adopted: cutText(formatAdoptions(adopted), shortTextLimit * 2) }),
    counts: outcome.counts,
  };
}

function messageOf(result: SyncResult): string {
  switch (result.kind) {
    case 'synced':
    case 'applying':
    case 'suspended':
      return '';
    case 'progressing':
    case 'out-of-sync':
      return result.message;
    case 'failed':
      return formatError(result.error);
    case 'rejected': {
      const first = result.findings.find((finding) => finding.severity === 'error');
      return first === undefined ? '' : formatFinding(first);
    }
  }
}

function writes(counts: ActionCounts): number {
  return counts.create + counts.update + counts.prune;
}

function saysNothingNew(entry: HistoryEntry, last: HistoryEntry): boolean {
  if (writes(entry.counts) > 0) return false;
  return (
    entry.result === last.result && entry.revision === last.revision && (entry.message === last.message || entry.result === 'Progressing')
  );
}

function continues(entry: HistoryEntry, last: HistoryEntry): boolean {
  if (entry.revision !== last.revision) return false;
  if (last.result === 'Progressing') return writes(entry.counts) === 0 || entry.initiatedBy === last.initiatedBy;
  return entry.initiatedBy === 'drift' && last.initiatedBy === 'drift' && entry.result === last.result;
}
