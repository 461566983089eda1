// When a plan must not run because it would remove too much.
import { describe, expect, test } from '@jest/globals';
import { formatError } from '../../operator/model/error.ts';
import { guardPlan } from '../../operator/plan/guard-plan.ts';
import { planChanges } from '../../operator/plan/plan-changes.ts';
import { desired, live, owned, world } from './plan-text.ts';

interface Case {
  readonly desired: number;
  readonly removed: number;
  readonly allowEmpty?: boolean;
  readonly maxPrunePercent?: number;
  readonly kind?: string;
  readonly approved?: boolean;
  /** Objects that leave Git and are never pruned. */
  readonly kept?: number;
}

/** `desired` objects stay as they are, `removed` others leave Git. */
function checkGuard(sample: Case, expected: string): void {
  const stay = Array.from({ length: sample.desired }, (_, index) => `ConfigMap shop/stay-${index}`);
  const leave = Array.from({ length: sample.removed }, (_, index) => `${sample.kind ?? 'ConfigMap'} shop/old-${index}`);
  const kept = Array.from({ length: sample.kept ?? 0 }, (_, index) => `PersistentVolumeClaim shop/kept-${index}`);
  const all = [...stay, ...leave, ...kept];
  const request = world({
    desired: stay.map((text) => desired(text)),
    owned: all.map((text) => owned(desired(text))),
    live: all.map((text) => live(text)),
  });
  const plan = planChanges(request);
  const refusal = guardPlan({
    plan,
    desired: request.desired.length,
    owned: request.inventory.size,
    policy: { allowEmpty: sample.allowEmpty ?? false, maxPrunePercent: sample.maxPrunePercent ?? 50 },
    ...(sample.approved === undefined ? {} : { approvedDigest: sample.approved ? plan.digest : 'of another plan' }),
  });
  expect(refusal === undefined ? 'may run' : `${refusal.code}: ${formatError(refusal)}`).toMatch(expected);
}

describe('guard', () => {
  test.each<[string, Case, string]>([
    [
      'P1 a commit without objects does not remove everything',
      { desired: 0, removed: 2 },
      'EmptyGuard: the commit declares no object and the sync would remove all 2: ConfigMap shop/old-1, ConfigMap shop/old-0; if this is meant, set spec.sync.allowEmpty',
    ],
    [
      'P1 what a commit without objects leaves alone is not said to be removed',
      { desired: 0, removed: 1, kept: 2 },
      'EmptyGuard: the commit declares no object and the sync would remove 1 of 3 objects: ConfigMap shop/old-0; if',
    ],
    ['P1 a commit without objects may remove everything when that is allowed', { desired: 0, removed: 20, allowEmpty: true }, 'may run'],
    ['P1 a commit without objects may pass when nothing is removed', { desired: 0, removed: 0 }, 'may run'],
    ['P6 kinds that are never pruned do not count as removed', { desired: 0, removed: 3, kind: 'PersistentVolumeClaim' }, 'may run'],
    [
      'P1 removing more than half of more than ten is stopped',
      { desired: 5, removed: 6 },
      'PruneGuard: the sync would remove 6 of 11 objects, more than 50 %: ConfigMap shop/old-5, ConfigMap shop/old-4, ConfigMap shop/old-3, ConfigMap shop/old-2, ConfigMap shop/old-1 and 1 more; if this is meant, approve',
    ],
    ['P1 removing exactly half passes', { desired: 6, removed: 6 }, 'may run'],
    ['P1 removing most of ten passes', { desired: 1, removed: 9 }, 'may run'],
    ["P1 the share is the policy's", { desired: 9, removed: 3, maxPrunePercent: 10 }, 'PruneGuard: the sync would remove 3 of 12'],
    ['P1 an approved plan passes', { desired: 0, removed: 20, approved: true }, 'may run'],
    ['P1 the approval of another plan does not count', { desired: 0, removed: 20, approved: false }, 'EmptyGuard'],
  ])('%s', (_, sample, expected) => {
    checkGuard(sample, expected);
  });
});
