// What a sync decides about each object, as text. Order and steps are in arrange-steps.test.ts, guards in guard-plan.test.ts.
import { describe, expect, test } from '@jest/globals';
import { trackingAnnotation, trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import { planChanges } from '../../operator/plan/plan-changes.ts';
import { changesText, desired, live, owned, world } from './plan-text.ts';

type World = Parameters<typeof world>[0];

function checkChanges(parts: World, expected: readonly string[]): void {
  expect(changesText(planChanges(world(parts)))).toEqual(expected);
}

const web = 'Deployment shop/web';
const other = { namespace: 'team', name: 'billing' };
const v1 = desired(web);
const v2 = desired(web, { version: 2 });
const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe('objects that Git declares', () => {
  test.each<[string, World, string]>([
    ['a new object is created', { desired: [v1] }, `create ${web}: new in Git`],
    ['an object equal to Git needs nothing', { desired: [v1], owned: [owned(v1)], live: [live(web)] }, `unchanged ${web}: equal to Git`],
    ['a changed object is updated', { desired: [v2], owned: [owned(v1)], live: [live(web)] }, `update ${web}: changed in Git`],
    ['a deleted object is created again', { desired: [v1], owned: [owned(v1)] }, `create ${web}: missing in the cluster`],
    [
      'a deleted object stays away when self-heal is off',
      { desired: [v1], owned: [owned(v1)], policy: { selfHeal: false } },
      `skip ${web}: missing in the cluster; self-heal is off`,
    ],
    [
      'a deleted object that also changed in Git is created even when self-heal is off',
      { desired: [v2], owned: [owned(v1)], policy: { selfHeal: false } },
      `create ${web}: changed in Git and missing in the cluster`,
    ],
    [
      'a suspect is written again',
      { desired: [v1], owned: [owned(v1)], live: [live(web)], suspects: [web] },
      `update ${web}: differs from Git in the cluster`,
    ],
    [
      'a suspect is left alone when self-heal is off',
      { desired: [v1], owned: [owned(v1)], live: [live(web)], suspects: [web], policy: { selfHeal: false } },
      `skip ${web}: differs from Git in the cluster; self-heal is off`,
    ],
    [
      'an object with another UID under the same name is written again',
      { desired: [v1], owned: [owned(v1)], live: [live(web, { uid: 'new' })] },
      `update ${web}: was deleted and created again by someone else`,
    ],
    [
      'an object that exists before its first sync is adopted',
      { desired: [v1], live: [live(web, { labels: {}, annotations: {}, managedFields: [] })] },
      `update ${web}: exists already and is adopted`,
    ],
    [
      'an object that a tool made is adopted from it',
      {
        desired: [v1],
        live: [
          live(web, {
            labels: {},
            annotations: {},
            managedFields: [
              { manager: 'kube-controller-manager', operation: 'Update', apiVersion: 'apps/v1' },
              { manager: 'kubectl-edit', operation: 'Update', apiVersion: 'apps/v1', subresource: 'status' },
              { manager: 'helm', operation: 'Update', apiVersion: 'apps/v1' },
            ],
          }),
        ],
      },
      `update ${web}: exists already and is adopted; taken over from helm`,
    ],
    [
      'P9 an object whose entry in the inventory was lost is written again',
      { desired: [v1], owned: [owned(v1, { lost: true, digest: '' })], live: [live(web)] },
      `update ${web}: its entry in the inventory was lost`,
    ],
    [
      'an apply without an answer is repeated when the object is there',
      { desired: [v1], owned: [owned(v1, { uid: '', digest: '' })], live: [live(web)] },
      `update ${web}: its last apply was not confirmed`,
    ],
    [
      'an apply without an answer is repeated when the object is not there',
      { desired: [v1], owned: [owned(v1, { uid: '', digest: '' })] },
      `create ${web}: its last apply was not confirmed`,
    ],
    [
      'an object that is being deleted is waited for',
      { desired: [v2], owned: [owned(v1)], live: [live(web, deleting)] },
      `skip ${web}: is being deleted; it is created again when it is gone`,
    ],
    [
      'A1 an object with fields of another manager, which are to stay, is a conflict',
      { desired: [v2], owned: [owned(v1)], live: [live(web)], held: { [web]: 'helm' } },
      `conflict ${web}: field manager conflict on .spec.replicas (helm)`,
    ],
    [
      'fields of others do not matter where nothing is written',
      { desired: [v1], owned: [owned(v1)], live: [live(web)], held: { [web]: 'helm' } },
      `unchanged ${web}: equal to Git`,
    ],
    [
      'V10 an object of another Application is a conflict',
      { desired: [v1], live: [live(web, { owner: other })] },
      `conflict ${web}: belongs to Application team/billing`,
    ],
    [
      'V10 an object that another Application took over is a conflict too',
      { desired: [v1], owned: [owned(v1)], live: [live(web, { owner: other })] },
      `conflict ${web}: belongs to Application team/billing`,
    ],
  ])('%s', (_, parts, expected) => {
    checkChanges(parts, [expected]);
  });
});

describe('A24 a claim counts only when an apply of ours made it', () => {
  const hash = trackingLabelValue(other);
  const pasted = [
    {
      manager: 'kubectl',
      operation: 'Apply' as const,
      apiVersion: 'v1',
      fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${trackingAnnotation}`]: {} } } },
    },
  ];
  test.each<[string, Parameters<typeof live>[1], boolean]>([
    ['label alone', { labels: { [trackingLabel]: hash }, annotations: {} }, false],
    ['annotation alone, written by us: anybody may have taken the label away', { owner: other, labels: {} }, true],
    ['annotation alone, with managedFields emptied by hand', { labels: {}, owner: other, managedFields: [] }, false],
    [
      'label of one Application, annotation of another, with managedFields emptied by hand',
      { labels: { [trackingLabel]: hash }, annotations: { [trackingAnnotation]: 'team/mail' }, managedFields: [] },
      false,
    ],
    ['an annotation that is no name', { owner: other, annotations: { [trackingAnnotation]: 'billing' } }, false],
    ['an export applied by kubectl', { owner: other, managedFields: pasted }, false],
    ['both, written by us', { owner: other }, true],
    ['both, with managedFields emptied by hand', { owner: other, managedFields: [] }, true],
  ])('%s', (_, change, claimed) => {
    const plan = planChanges(world({ desired: [v1], live: [live(web, change)] }));
    expect(plan.changes.map((c) => c.action)).toEqual([claimed ? 'conflict' : 'update']);
  });
});

describe('objects that left Git', () => {
  const claim = 'PersistentVolumeClaim shop/data';
  const group = (text: string) => owned(desired(text));
  test.each<[string, World, readonly string[]]>([
    ['an object is pruned', { owned: [owned(v1)], live: [live(web)] }, [`prune ${web}: not in Git any more`]],
    ['an object that is gone already is confirmed gone by the server', { owned: [owned(v1)] }, [`prune ${web}: not in Git any more`]],
    [
      'an object that was never created is forgotten',
      { owned: [owned(v1, { uid: '', digest: '' })] },
      [`skip and forget ${web}: was never created`],
    ],
    [
      'an object whose creation was not confirmed is pruned when it carries our mark',
      { owned: [owned(v1, { uid: '', digest: '' })], live: [live(web)] },
      [`prune ${web}: not in Git any more`],
    ],
    [
      'P10 an object whose creation was not confirmed is not ours without our mark',
      { owned: [owned(v1, { uid: '', digest: '' })], live: [live(web, { labels: {}, annotations: {} })] },
      [`skip and forget ${web}: was never applied by this Application`],
    ],
    [
      'P10 another object under the same name is not deleted',
      { owned: [owned(v1)], live: [live(web, { uid: 'new', labels: {}, annotations: {} })] },
      [`skip and forget ${web}: was replaced by another object of the same name`],
    ],
    [
      'P4 an object that moved to another Application is not deleted',
      { owned: [owned(v1)], live: [live(web, { owner: other })] },
      [`skip and forget ${web}: belongs to Application team/billing now`],
    ],
    [
      'P5 the annotation on the live object protects it',
      { owned: [owned(v1)], live: [live(web, { annotations: { ...live(web).annotations, 'setpoint.dev/prune': 'disabled' } })] },
      [`skip ${web}: protected by the annotation setpoint.dev/prune: disabled`],
    ],
    [
      'an object that is being deleted is kept until it is gone',
      { owned: [owned(v1)], live: [live(web, deleting)] },
      [`prune ${web}: not in Git any more; is being deleted already`],
    ],
    [
      'A23 a protected object that somebody deletes is left to that',
      { owned: [group(claim)], live: [live(claim, deleting)] },
      [`skip ${claim}: is being deleted already`],
    ],
    [
      'V10 an object that another Application waits for is left to it',
      { owned: [owned(v1)], live: [live(web)], claimants: { [web]: 'team/billing' } },
      [`skip ${web}: not in Git any more; Application team/billing declares it too and takes it over`],
    ],
    [
      'P9 an object known only by its marks since an inventory was lost is left for a person',
      { owned: [owned(v1, { lost: true, digest: '' })], live: [live(web)] },
      [`skip ${web}: not in Git any more, and known only by its marks since an inventory was lost; it is left for a person to decide`],
    ],
    [
      'nothing is pruned when pruning is off',
      { owned: [owned(v1)], live: [live(web)], policy: { prune: false } },
      [`skip ${web}: not in Git any more; pruning is off`],
    ],
    [
      'A27 nothing of an API group that does not answer is pruned',
      { owned: [owned(v1)], failedGroups: ['apps'] },
      [`skip ${web}: its API group apps does not answer`],
    ],
    ...[claim, 'PersistentVolume data', 'Namespace shop', 'CustomResourceDefinition widgets.example.com', 'StorageClass fast'].map(
      (text): [string, World, readonly string[]] => [
        `P6 a ${text.split(' ')[0]} is never pruned`,
        { owned: [group(text)], live: [live(text)] },
        [`skip ${text}: objects of kind ${text.split(' ')[0]} are never pruned`],
      ],
    ),
    ['P6 a PersistentVolumeClaim that is gone is forgotten', { owned: [group(claim)] }, [`skip and forget ${claim}: is gone already`]],
    [
      'P11 an object written in another version is the same object',
      { desired: [desired('apps/v1 Deployment shop/web')], owned: [owned(desired('apps/v1beta1 Deployment shop/web'))], live: [live(web)] },
      [`update ${web}: changed in Git`],
    ],
    [
      'P11 an object that lives under another group is not deleted',
      {
        desired: [v1],
        owned: [owned(desired('extensions/v1beta1 Deployment shop/web'))],
        live: [live(web)],
      },
      [
        `update ${web}: was applied by this Application before and is in no inventory`,
        `skip and forget ${web}: is declared under another API group or scope`,
      ],
    ],
    [
      'P11 an object that may live under another group waits until that is known',
      { desired: [v1], owned: [owned(desired('extensions/v1beta1 Deployment shop/web'))] },
      [`create ${web}: new in Git`, `skip ${web}: may be declared under another API group or scope; decided after that one is applied`],
    ],
    [
      'an object that moved to another namespace is pruned in the old one at once',
      { desired: [desired('Deployment prod/web')], owned: [owned(v1)], live: [live(web)] },
      ['create Deployment prod/web: new in Git', `prune ${web}: not in Git any more`],
    ],
  ])('%s', (_, parts, expected) => {
    checkChanges(parts, expected);
  });

  test('a prune names the UID of the object that was applied', () => {
    const plan = planChanges(world({ owned: [owned(v1, { uid: 'u1' })], live: [live(web, { uid: 'u1' })] }));
    expect(plan.changes).toMatchObject([{ action: 'prune', uid: 'u1' }]);
  });
});
