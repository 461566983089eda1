// What the answer to an apply makes of a suspect: drift only when something that we declare differs.
import { expect, test } from '@jest/globals';
import type { ApplyResult } from '../../operator/apply/apply-plan.ts';
import { baselineOf } from '../../operator/apply/baseline.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { Manifest } from '../../operator/model/manifest.ts';
import { keyOf } from '../../operator/model/object-ref.ts';
import type { Drift, ManagedFields, ObservedObject } from '../../operator/model/observed.ts';
import { healedDrift } from '../../operator/reconcile/confirm-drift.ts';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const key = keyOf(ref);
const image = { 'f:template': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {} } } } };
const replicas = { 'f:replicas': {} };
const revision = { 'deployment.kubernetes.io/revision': '2' };

function entry(manager: string, spec: JsonObject): ManagedFields {
  return { manager, operation: manager === 'setpoint' ? 'Apply' : 'Update', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': spec } };
}

/** A Deployment with an image, at a resource version. */
function deployment(
  resourceVersion: string,
  tag: string,
  managedFields: readonly ManagedFields[],
  annotations: JsonObject = {},
): JsonObject {
  const metadata = { name: 'web', uid: 'u', resourceVersion, annotations, managedFields };
  return { metadata, spec: { replicas: 2, template: { containers: [{ name: 'web', image: tag }] } } } as unknown as JsonObject;
}

interface Story {
  /** Entries that the watch showed, at resource version 10. */
  readonly seen: readonly ManagedFields[];
  readonly read?: JsonObject;
  readonly answer: JsonObject;
  readonly declaredAnew?: boolean;
}

function driftOf({ seen, read, answer, declaredAnew = false }: Story): readonly Drift[] {
  const more = { labels: {}, annotations: {}, finalizers: [], ownerUids: [] };
  const drifted: ObservedObject = { ref, key, uid: 'u', resourceVersion: '10', ...more, managedFields: seen };
  const change = { action: 'update' as const, ref, key, uid: 'u', manifest: { ref, key } as Manifest, reason: '' };
  const result: ApplyResult = { written: [{ change, live: answer, baseline: baselineOf(answer) }], pruned: [], failures: [] };
  return healedDrift(result, new Map([[key, { drifted, declaredAnew, object: read }]]), new Date(0));
}

const ours = entry('setpoint', { ...replicas, ...image });

test('a controller that wrote between the watch and the apply is no drift', () => {
  const read = deployment('11', 'nginx:1', [ours]);
  expect(driftOf({ seen: [ours], read, answer: deployment('11', 'nginx:1', [ours]) })).toEqual([]);
});

test('a controller that wrote its own annotation between the read and the apply is no drift', () => {
  const read = deployment('11', 'nginx:1', [ours]);
  expect(driftOf({ seen: [ours], read, answer: deployment('12', 'nginx:1', [ours], revision) })).toEqual([]);
});

test('a value of ours that differed is drift, also inside a list', () => {
  const read = deployment('11', 'evil:1', [ours]);
  const [drift] = driftOf({ seen: [ours], read, answer: deployment('12', 'nginx:1', [ours], revision) });
  expect(drift?.fields).toEqual(['.spec.template.containers[0].image']);
});

test('a field that somebody took is drift by that somebody', () => {
  const seen = [entry('setpoint', image), entry('kubectl-edit', replicas)];
  const [drift] = driftOf({ seen, answer: deployment('12', 'nginx:1', [ours]) });
  expect(drift).toMatchObject({ fields: ['.spec.replicas'], manager: 'kubectl-edit' });
});

test('a field that somebody added in our name, which the apply takes away, is named', () => {
  const [drift] = driftOf({ seen: [ours], answer: deployment('12', 'nginx:1', [entry('setpoint', image)]) });
  expect(drift?.fields).toEqual(['.spec.replicas']);
});

test.each([
  ['stops declaring', [ours], [entry('setpoint', image)]],
  ['begins to declare', [entry('setpoint', image)], [ours]],
  ['gives another value', [ours], [ours]],
])('a field that a commit %s is no drift', (_, seen, after) => {
  expect(driftOf({ seen, answer: deployment('12', 'nginx:2', after), declaredAnew: true })).toEqual([]);
});

test('a field that somebody took is drift also when a commit changes the object', () => {
  const seen = [entry('setpoint', image), entry('kubectl-edit', replicas)];
  const [drift] = driftOf({ seen, answer: deployment('12', 'nginx:2', [ours]), declaredAnew: true });
  expect(drift).toMatchObject({ fields: ['.spec.replicas'], manager: 'kubectl-edit' });
});
