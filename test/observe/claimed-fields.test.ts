// Conflicts of a changed object: about fields that were ours, or about fields that Git begins to declare.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import type { ManagedFields } from '../../operator/model/observed.ts';
import { fieldsHash } from '../../operator/model/own-fields.ts';
import { claimedFields } from '../../operator/observe/claimed-fields.ts';

function entry(manager: string, fieldsV1: JsonObject): ManagedFields {
  return { manager, operation: manager === 'setpoint' ? 'Apply' : 'Update', apiVersion: 'apps/v1', fieldsV1 };
}

const replicas = { 'f:replicas': {} };
const web = 'k:{"name":"web"}';
const named = { '.': {}, 'f:name': {} };
const containers = (item: JsonObject): JsonObject => ({ 'f:template': { 'f:spec': { 'f:containers': { [web]: item } } } });
const applied: JsonObject = { spec: { replicas: 4, template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } } };
const image = '.spec.template.spec.containers[name="web"].image';
const before = { 'f:spec': { ...replicas, ...containers({ ...named, 'f:image': {} }) } };

interface Story {
  /** What our entry holds now. */
  readonly own: JsonObject;
  readonly theirs: JsonObject;
  readonly conflicts: readonly string[];
  readonly isRemembered?: boolean;
  readonly isReplaced?: boolean;
  readonly claimed: readonly string[];
}

const left = { 'f:spec': containers({ ...named, 'f:image': {} }) };
const scaled = { theirs: { 'f:spec': replicas }, own: left, conflicts: ['.spec.replicas'] };
const annotation = { 'f:metadata': { 'f:annotations': { 'f:example.com/note': {} } } };

test.each<[string, Story]>([
  ['A1 what was applied before is drift', { ...scaled, isRemembered: true, claimed: [] }],
  ['so it is after a restart, where our entry tells', { ...scaled, claimed: [] }],
  [
    'a field of a list item too',
    {
      own: { 'f:spec': { ...replicas, ...containers(named) } },
      theirs: { 'f:spec': containers({ 'f:image': {} }) },
      conflicts: [image],
      claimed: [],
    },
  ],
  [
    'what a commit begins to declare is claimed',
    {
      ...{ own: before, theirs: annotation, isRemembered: true },
      ...{ conflicts: ['.metadata.annotations.example.com/note'], claimed: ['.metadata.annotations.example.com/note'] },
    },
  ],
  [
    'both at once: only the new one is claimed',
    {
      ...{ own: left, theirs: { ...annotation, 'f:spec': replicas }, isRemembered: true },
      ...{ conflicts: ['.spec.replicas', '.metadata.annotations.example.com/note'], claimed: ['.metadata.annotations.example.com/note'] },
    },
  ],
  [
    'after a restart, what cannot be shown to have been ours is claimed',
    { ...scaled, own: { 'f:spec': containers(named) }, claimed: ['.spec.replicas'] },
  ],
  [
    'though remembered it is drift when another field was removed too',
    { ...scaled, own: { 'f:spec': containers(named) }, isRemembered: true, claimed: [] },
  ],
  [
    'an object that took the place of ours holds nothing of ours',
    { ...scaled, isRemembered: true, isReplaced: true, claimed: ['.spec.replicas'] },
  ],
  ['a field in nobody’s entry is claimed', { ...scaled, theirs: {}, isRemembered: true, claimed: ['.spec.replicas'] }],
])('%s', (_, { own, theirs, conflicts, isRemembered = false, isReplaced = false, claimed }) => {
  const managedFields = [entry('setpoint', own), entry('kubectl', theirs)];
  const found = claimedFields(
    conflicts.map((field) => ({ field, manager: 'kubectl' })),
    {
      live: isReplaced ? undefined : { managedFields },
      baseline: { uid: 'u', resourceVersion: '1', fieldsHash: fieldsHash(entry('setpoint', before)) },
      applied: isRemembered ? applied : undefined,
    },
  );
  expect(found.map(({ field }) => field)).toEqual(claimed);
});
