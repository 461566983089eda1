// What others added to an object of ours, and what is to become of it.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import type { ManagedFields } from '../../operator/model/observed.ts';
import { findAdditions } from '../../operator/observe/find-additions.ts';
import { type AdditionPolicy, judgeAdditions, tellAdditions } from '../../operator/observe/judge-additions.ts';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const declared: JsonObject = {
  spec: { replicas: 2, template: { spec: { securityContext: {}, containers: [{ name: 'web', image: 'web:1' }] } } },
};
const pod = (spec: JsonObject): JsonObject => ({ 'f:spec': { 'f:template': { 'f:spec': spec } } });
const web = 'k:{"name":"web"}';
const ours = {
  'f:spec': {
    'f:replicas': {},
    'f:template': { 'f:spec': { 'f:securityContext': {}, 'f:containers': { [web]: { '.': {}, 'f:name': {}, 'f:image': {} } } } },
  },
};

function entry(manager: string, fieldsV1: JsonObject, more: Partial<ManagedFields> = {}): ManagedFields {
  return { manager, operation: manager === 'setpoint' ? 'Apply' : 'Update', apiVersion: 'apps/v1', fieldsV1, ...more };
}

interface Story {
  readonly by: readonly ManagedFields[];
  readonly policy?: Partial<AdditionPolicy>;
  readonly own?: JsonObject;
  /** `manager: fields` */
  readonly reported?: readonly string[];
  readonly unwanted?: readonly string[];
}

function checkAdditions({ by, policy, own = ours, reported = [], unwanted = [] }: Story): void {
  const managedFields = [entry('setpoint', own), ...by];
  const judged = judgeAdditions(findAdditions({ managedFields }), { ref, managedFields }, declared, {
    extraFields: 'Report',
    conflicts: 'Force',
    ...policy,
  } as AdditionPolicy);
  const told = (additions: typeof judged.reported) =>
    tellAdditions(ref, additions).map(({ manager, fields }) => `${manager}: ${fields.join(' ')}`);
  expect([told(judged.reported), told(judged.unwanted)]).toEqual([reported, unwanted]);
}

const note = { 'f:metadata': { 'f:annotations': { '.': {}, 'f:note': {} } } };
const env = pod({ 'f:containers': { [web]: { 'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } } } } });
const user = pod({ 'f:securityContext': { 'f:runAsUser': {} } });
const added = { env: '.spec.template.spec.containers[name="web"].env[name="A"]', user: '.spec.template.spec.securityContext.runAsUser' };

test.each<[string, Story]>([
  ['a field of ours that another holds too is none', { by: [entry('x', ours)] }],
  ['a member of a map is told by its path', { by: [entry('x', note)], reported: ['x: .metadata.annotations.note'] }],
  ['an item of a list is told as one', { by: [entry('x', env)], reported: [`x: ${added.env}`] }],
  ['what a status subresource wrote is none', { by: [entry('x', { 'f:status': { 'f:replicas': {} } }, { subresource: 'status' })] }],
  ['the control plane adds in the course of its work', { by: [entry('kube-controller-manager', note)] }],
  [
    'so do finalizers, owner references and the annotations of kubectl',
    {
      by: [
        entry('x', {
          'f:metadata': {
            'f:finalizers': { 'v:"a/b"': {} },
            'f:ownerReferences': { 'k:{"uid":"u"}': {} },
            'f:annotations': { 'f:kubectl.kubernetes.io/restartedAt': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {} },
          },
        }),
      ],
    },
  ],
  ['managers are told apart', { by: [entry('y', env), entry('x', note)], reported: ['x: .metadata.annotations.note', `y: ${added.env}`] }],
  [
    'of many updaters whose entries were merged nobody is named',
    { by: [entry('ancient-changes', note)], reported: ['unknown: .metadata.annotations.note'] },
  ],
  [
    'a declared field that somebody took from us is drift and no addition, whatever strip says',
    {
      own: pod({ 'f:containers': { [web]: { '.': {}, 'f:name': {} } } }),
      by: [
        entry('x', { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }),
        entry('y', pod({ 'f:containers': { [web]: { 'f:image': {} } } })),
      ],
      policy: { strip: [{ managers: ['x', 'y'] }] },
      unwanted: ['x: .spec.paused'],
    },
  ],
  ['Ignore tells nothing', { by: [entry('x', note)], policy: { extraFields: 'Ignore' } }],
  [
    'an ignored manager is not told',
    { by: [entry('x', note)], policy: { ignoreDifferences: [{ group: 'apps', kind: 'Deployment', managers: ['x'] }] } },
  ],
  [
    'an ignored path is not told',
    { by: [entry('x', note)], policy: { ignoreDifferences: [{ group: '*', kind: '*', jsonPointers: ['/metadata/annotations'] }] } },
  ],
  ['inside a map that Git declares empty it is unwanted', { by: [entry('x', user)], unwanted: [`x: ${added.user}`] }],
  [
    'there too it is left alone when it is ignored',
    { by: [entry('x', user)], policy: { ignoreDifferences: [{ group: 'apps', kind: '*', managers: ['x'] }] } },
  ],
  [
    'inside a whole that Git does not declare empty it is only told',
    { by: [entry('x', env)], own: pod({ 'f:containers': {} }), reported: ['x: .spec.template.spec.containers[name="web"]'] },
  ],
  [
    'a stripped manager',
    {
      by: [entry('x', note), entry('y', env)],
      policy: { strip: [{ managers: ['x'] }] },
      reported: [`y: ${added.env}`],
      unwanted: ['x: .metadata.annotations.note'],
    },
  ],
  [
    'a stripped path, with what is below',
    { by: [entry('x', note)], policy: { strip: [{ paths: ['.metadata.annotations'] }] }, unwanted: ['x: .metadata.annotations.note'] },
  ],
  [
    'a path that only begins alike is not stripped',
    { by: [entry('x', note)], policy: { strip: [{ paths: ['.metadata.annotations.no'] }] }, reported: ['x: .metadata.annotations.note'] },
  ],
  [
    'a strip of another kind',
    { by: [entry('x', note)], policy: { strip: [{ kind: 'Service', managers: ['x'] }] }, reported: ['x: .metadata.annotations.note'] },
  ],
  [
    'finalizers go by path only, not with their manager',
    { by: [entry('x', { 'f:metadata': { 'f:finalizers': { 'v:"a/b"': {} } } })], policy: { strip: [{ managers: ['x'] }] } },
  ],
  [
    'the control plane is stripped when it is named',
    {
      by: [entry('kube-controller-manager', note)],
      policy: { strip: [{ managers: ['kube-controller-manager'] }] },
      unwanted: ['kube-controller-manager: .metadata.annotations.note'],
    },
  ],
])('%s', (_, story) => checkAdditions(story));

test('without an entry of ours nothing is known to be an addition', () => {
  expect(findAdditions({ managedFields: [entry('x', note)] })).toEqual([]);
});
