// Values for tests of event subscribers.
import type { Outcome } from '../../operator/model/outcome.ts';
import type { Revision } from '../../operator/model/revision.ts';

export function revisionOf(extra: Partial<Revision> = {}): Revision {
  return {
    sha: 'a'.repeat(40),
    author: 'Ada',
    authorEmail: 'ada@example.com',
    committer: 'Ada',
    date: '2026-01-02T03:04:05Z',
    subject: 'scale web',
    parents: [],
    ...extra,
  };
}

export function outcomeOf(extra: Partial<Outcome> = {}): Outcome {
  return {
    observedGeneration: 1,
    startedAt: new Date('2026-01-02T03:04:06.000Z'),
    finishedAt: new Date('2026-01-02T03:04:07.500Z'),
    initiatedBy: 'commit',
    revision: revisionOf(),
    result: { kind: 'synced', changed: true },
    counts: { create: 0, update: 0, unchanged: 3, prune: 0, skip: 0, conflict: 0 },
    findings: [],
    drift: [],
    health: { state: 'Healthy', message: '' },
    owned: 3,
    ...extra,
  };
}
