// A plan can be stored, read back and shown: plain JSON, the same digest, and no value of a Secret in what is shown.
import { describe, expect, test } from '@jest/globals';
import { type Plan, planDigest } from '../../operator/model/plan.ts';
import { comparable, describePlan, type Preview } from '../../operator/plan/describe-plan.ts';
import { planChanges } from '../../operator/plan/plan-changes.ts';
import { desired, key, live, owned, world } from './plan-text.ts';

const web = desired('Deployment shop/web', { version: 2, dependsOn: ['ConfigMap shop/settings'] });
const settings = desired('ConfigMap shop/settings', { version: 2 });
const taken = desired('ConfigMap shop/taken');
const equal = desired('ConfigMap shop/equal');
const old = desired('ConfigMap shop/old');
const kept = desired('PersistentVolumeClaim shop/data');

const request = world({
  desired: [web, settings, taken, equal],
  owned: [
    owned(desired('Deployment shop/web')),
    owned(equal),
    owned(old, { constructPath: 'app/old', position: 'main.ts:3:1 < index.ts:1:1' }),
    owned(kept),
  ],
  live: [
    live('Deployment shop/web'),
    live('ConfigMap shop/taken', { owner: { namespace: 'team', name: 'billing' } }),
    live('ConfigMap shop/equal'),
    live('ConfigMap shop/old'),
    live('PersistentVolumeClaim shop/data'),
  ],
});
const plan = planChanges(request);

describe('a plan', () => {
  test('read back from JSON is the same plan under the same digest', () => {
    const stored = JSON.parse(JSON.stringify(plan)) as Plan;
    expect(stored).toStrictEqual(plan);
    expect(planDigest(stored.steps)).toBe(plan.digest);
  });

  test('A13 is shown as steps in order with their waits, then what is left alone and why', () => {
    const shown = describePlan({ plan, desired: request.desired, inventory: request.inventory, previews: new Map() });
    expect(JSON.parse(JSON.stringify(shown))).toStrictEqual(shown);
    expect(
      shown.steps.map(({ changes, waitHealthy }) => [changes.map(({ action, object }) => `${action} ${object.name}`), waitHealthy]),
    ).toEqual([
      [['create settings'], ['ConfigMap shop/settings']],
      [['update web'], []],
      [['prune old'], []],
    ]);
    expect(shown.steps[2]?.changes[0]).toMatchObject({ constructPath: 'app/old', position: 'main.ts:3:1' });
    expect(shown.others.map(({ action, object, reason }) => `${action} ${object.name}: ${reason}`)).toEqual([
      'unchanged equal: equal to Git',
      'conflict taken: belongs to Application team/billing',
      'skip data: objects of kind PersistentVolumeClaim are never pruned',
    ]);
    expect(shown.counts).toEqual({ create: 1, update: 1, unchanged: 1, prune: 1, skip: 1, conflict: 1 });
    expect(shown.digest).toBe(plan.digest);
  });

  test('T8 shows no value of a Secret: neither in fields, nor in what a textual diff is made of', () => {
    const token = desired('Secret shop/token');
    const state = (value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', uid: 'u' },
      data: { token: value },
      status: {},
    });
    const preview: Preview = { kind: 'compared', before: state('Y2FuYXJ5LWE='), after: state('Y2FuYXJ5LWI=') };
    const secretPlan = planChanges(
      world({ desired: [token], owned: [owned(desired('Secret shop/token', { version: 0 }))], live: [live('Secret shop/token')] }),
    );
    const shown = describePlan({
      plan: secretPlan,
      desired: [token],
      inventory: new Map(),
      previews: new Map([[key('Secret shop/token'), preview]]),
    });
    expect(shown.steps[0]?.changes[0]?.fields).toEqual([{ path: '.data.token', before: '*** (before)', after: '*** (after)' }]);
    expect(comparable(preview)).toEqual({
      before: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, data: { token: '*** (before)' } },
      after: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, data: { token: '*** (after)' } },
    });
    expect(JSON.stringify(shown)).not.toMatch(/Y2FuYXJ5|canary/);
  });
});
