// Who is named for a drift, when managedFields tell much or little.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import { keyOf } from '../../operator/model/object-ref.ts';
import type { ManagedFields, ObservedObject } from '../../operator/model/observed.ts';
import { changedPaths, describeDeletion, describeDrift } from '../../operator/observe/describe-drift.ts';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const replicas = { 'f:spec': { 'f:replicas': {} } };
const image = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } } } };
const both = { 'f:spec': { ...replicas['f:spec'], ...image['f:spec'] } };

function entry(manager: string, fieldsV1: JsonObject, time: string | undefined, more: Partial<ManagedFields> = {}): ManagedFields {
  return { manager, operation: 'Update', apiVersion: 'apps/v1', fieldsV1, ...(time === undefined ? {} : { time }), ...more };
}

const ours = (fieldsV1: JsonObject): ManagedFields => entry('setpoint', fieldsV1, '2026-01-01T10:00:00Z', { operation: 'Apply' });

/** Manager, fields and time of the drift from these entries, after which we hold replicas and image again. */
function checkDrift(managedFields: readonly ManagedFields[], expected: string): void {
  const drifted: ObservedObject = {
    ref,
    key: keyOf(ref),
    uid: 'u',
    resourceVersion: '7',
    labels: {},
    annotations: {},
    finalizers: [],
    ownerUids: [],
    managedFields,
  };
  const restored = { metadata: { managedFields: [ours(both)] } } as unknown as JsonObject;
  const drift = describeDrift({ drifted, restored, healed: true, seenAt: new Date('2026-01-01T12:00:00Z') });
  expect(`${drift.manager} ${drift.fields.join(' ')} ${drift.time}`).toBe(expected);
}

test('the manager that now holds the field is named, not the one that wrote last', () => {
  checkDrift(
    [
      entry('kubectl-edit', replicas, '2026-01-01T11:00:00Z'),
      ours(image),
      entry('kube-controller-manager', { 'f:status': { 'f:replicas': {} } }, '2026-01-01T11:00:05Z', { subresource: 'status' }),
    ],
    'kubectl-edit .spec.replicas 2026-01-01T11:00:00Z',
  );
});

test('of two that took fields the later one is named', () => {
  const early = entry('kubectl-set', image, '2026-01-01T11:00:00Z');
  const late = entry('kubectl-scale', replicas, '2026-01-01T11:30:00Z');
  const expected = 'kubectl-scale .spec.replicas .spec.template.spec.containers[name="web"].image 2026-01-01T11:30:00Z';
  checkDrift([early, late], expected);
  checkDrift([late, early], expected);
});

test('a list that was replaced as a whole is held from above', () => {
  checkDrift(
    [
      entry('kubectl-replace', { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': {} } } } }, '2026-01-01T11:00:00Z'),
      ours(replicas),
    ],
    'kubectl-replace .spec.template.spec.containers[name="web"].image 2026-01-01T11:00:00Z',
  );
});

test('an entry without time is named with the time of the look', () => {
  checkDrift(
    [entry('kubectl', replicas, undefined, { subresource: 'scale' }), ours(image)],
    'kubectl .spec.replicas 2026-01-01T12:00:00.000Z',
  );
});

test('nobody is named for fields that nobody holds', () => {
  checkDrift(
    [entry('helm', { 'f:metadata': { 'f:labels': { 'f:a': {} } } }, '2026-01-01T11:00:00Z'), ours(image)],
    'unknown .spec.replicas 2026-01-01T12:00:00.000Z',
  );
});

test('nobody is named for a deletion', () => {
  expect(describeDeletion(ref, false, new Date(0))).toMatchObject({ kind: 'deleted', manager: 'unknown', fields: [], healed: false });
});

test('paths that differ between two states, without what the server keeps itself', () => {
  const before = {
    metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' }, resourceVersion: '1', generation: 1 },
    spec: { list: [1, 2], gone: true },
    status: { a: 1 },
  };
  const after = {
    metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'y' }, resourceVersion: '2', generation: 2 },
    spec: { list: [1, 3, 4] },
    status: { a: 2 },
  };
  expect(changedPaths(before, after)).toEqual([
    '.metadata.labels["app.kubernetes.io/name"]',
    '.spec.gone',
    '.spec.list[1]',
    '.spec.list[2]',
  ]);
});

test('a field that an apply by force leaves with another too had the same value: only ownership was lost', () => {
  const theirs = entry('kubectl-edit', replicas, '2026-01-01T11:00:00Z');
  const drifted: ObservedObject = {
    ...{ ref, key: keyOf(ref), uid: 'u', resourceVersion: '7', labels: {}, annotations: {}, finalizers: [], ownerUids: [] },
    managedFields: [theirs, ours(image)],
  };
  const told = (after: readonly ManagedFields[]) =>
    describeDrift({ drifted, restored: { metadata: { managedFields: after } } as unknown as JsonObject, healed: true, seenAt: new Date(0) })
      .fields;
  expect(told([ours(both), theirs])).toEqual([]);
  expect(told([ours(both)])).toEqual(['.spec.replicas']);
});

test('of many updaters whose entries were merged nobody is named', () => {
  checkDrift([entry('ancient-changes', replicas, '2026-01-01T11:00:00Z'), ours(image)], 'unknown .spec.replicas 2026-01-01T12:00:00.000Z');
});
