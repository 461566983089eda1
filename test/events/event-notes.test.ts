// What the Kubernetes Events of an Application say, as a table of what a user reads.
import { expect, test } from '@jest/globals';
import { noteOf } from '../../operator/cluster/event-notes.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import type { Outcome } from '../../operator/model/outcome.ts';
import { outcomeOf } from './fixtures.ts';

const application = 'shop/web' as const;
const none = { create: 0, update: 0, unchanged: 0, prune: 0, skip: 0, conflict: 0 };

function reconciled(extra: Partial<Outcome>): OperatorEvent {
  return { type: 'reconciled', application, uid: 'u1', syncId: 's1', outcome: outcomeOf(extra) };
}

test.each<[string, OperatorEvent, string]>([
  [
    'a sync that wrote and waits for health',
    reconciled({ result: { kind: 'progressing', message: 'Deployment shop/web: 0 of 3 replicas' }, counts: { ...none, create: 4 } }),
    'Progressing: applied aaaaaaaa "scale web" by Ada: 4 created; Deployment shop/web: 0 of 3 replicas',
  ],
  [
    'the same a moment later',
    reconciled({ result: { kind: 'progressing', message: 'Deployment shop/web: 2 of 3 replicas' }, counts: none }),
    'Progressing: applied aaaaaaaa "scale web" by Ada; Deployment shop/web: 2 of 3 replicas',
  ],
  [
    'the end of the wait',
    reconciled({ counts: none }),
    'Synced: synced aaaaaaaa "scale web" by Ada: everything that was applied is healthy',
  ],
  ['a sync at once', reconciled({ counts: { ...none, create: 4 } }), 'Synced: synced aaaaaaaa "scale web" by Ada: 4 created'],
  [
    'the end of a pause',
    { type: 'suspension', application, message: undefined, reason: 'Paused' },
    'Resumed: no longer paused: syncs and heals go on',
  ],
  [
    'the end of a suspension',
    { type: 'suspension', application, message: undefined, reason: 'Suspended' },
    'Resumed: no longer suspended: syncs and heals go on',
  ],
])('%s', (_what, event, expected) => {
  const note = noteOf(event);
  expect(`${note?.reason}: ${note?.text}`).toBe(expected);
});
