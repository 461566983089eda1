// Fields that others decide: their live values are kept, are no drift and are not taken over, in heals, commits and dry runs.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { conditionOf, getApplication, untilStatus } from '../support/application.ts';
import { admin, eventually } from '../support/cluster.ts';
import { type DeclaredObject, type DriftWorld, type Subject, startDriftWorld } from '../support/drift-world.ts';

let world: DriftWorld;

beforeAll(async () => {
  world = await startDriftWorld('ignore');
}, 90_000);

afterAll(() => world?.stop(), 60_000);

function deployment(name: string, spec: { replicas?: number; image?: string } = {}): DeclaredObject {
  const labels = { app: name };
  const containers = [{ name: 'web', image: spec.image ?? 'nginx:1' }];
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
    spec: {
      ...(spec.replicas === undefined ? {} : { replicas: spec.replicas }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

const settings = (name: string, data: Readonly<Record<string, string>>): DeclaredObject => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
};

const replicas = { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] };

/** Who holds a field of an object, by the server's own account. */
async function holdersOf(subject: Subject, object: DeclaredObject, field: string): Promise<string[]> {
  const { metadata } = await admin().get(subject.ref(object));
  return (metadata.managedFields ?? [])
    .filter(({ fieldsV1, subresource }) => subresource !== 'status' && JSON.stringify(fieldsV1).includes(`"f:${field}"`))
    .map(({ manager }) => manager)
    .sort();
}

/** A commit that changes another object has been synced, so everything noticed before has been judged. */
async function checkNoDrift(subject: Subject, ...objects: readonly DeclaredObject[]): Promise<ApplicationStatus> {
  const status = await subject.declare(...objects, settings(`${subject.name}-marker`, { at: String(Date.now()) }));
  expect(status.drift ?? []).toEqual([]);
  expect(conditionOf(status, 'Synced')?.status).toBe('True');
  return status;
}

describe('with JSON pointers', () => {
  test('A2 an autoscaler decides about replicas: created as declared, then never written, taken or told as drift', async () => {
    const web = deployment('scaled', { replicas: 2 });
    const subject = await world.start('scaled', [web], { ignoreDifferences: [replicas] });
    expect((await admin().get(subject.ref(web)))['spec'].replicas).toBe(2);
    world.proxy.clear();
    await admin().patch(subject.ref(web), { spec: { replicas: 5 } }, { subresource: 'scale', fieldManager: 'autoscaler' });
    await checkNoDrift(subject, web);
    const changed = deployment('scaled', { replicas: 3, image: 'nginx:2' });
    await checkNoDrift(subject, changed);
    const live = await admin().get(subject.ref(web));
    expect(live['spec']).toMatchObject({ replicas: 5, template: { spec: { containers: [{ image: 'nginx:2' }] } } });
    expect(await holdersOf(subject, web, 'replicas')).toEqual(['autoscaler']);
    // One is the commit; the others judge what the autoscaler and the Deployment's controller wrote, and change nothing.
    const writes = world.writesTo(web);
    expect(writes.length).toBeGreaterThanOrEqual(1);
    expect(writes.length).toBeLessThanOrEqual(4);
    expect(writes.filter(({ body }) => body.includes('"replicas"'))).toEqual([]);
  }, 120_000);

  test('a field that only we hold is not reset when a commit changes it or stops declaring it', async () => {
    const subject = await world.start('kept', [deployment('kept', { replicas: 2 })], { ignoreDifferences: [replicas] });
    const uid = async () => (await admin().get(subject.ref(deployment('kept')))).metadata.uid;
    const before = await uid();
    await subject.declare(deployment('kept', { replicas: 4, image: 'nginx:2' }));
    expect((await admin().get(subject.ref(deployment('kept'))))['spec'].replicas).toBe(2);
    const status = await subject.declare(deployment('kept', { image: 'nginx:3' }));
    const live = await admin().get(subject.ref(deployment('kept')));
    expect(live['spec']).toMatchObject({ replicas: 2, template: { spec: { containers: [{ image: 'nginx:3' }] } } });
    expect(await uid()).toBe(before);
    expect(status.drift ?? []).toEqual([]);
  }, 120_000);

  test('other fields of the object are healed, and the heal keeps what is ignored', async () => {
    const object = settings('partly', { 'a.b': 'x', colour: 'red' });
    const rule = { kind: 'ConfigMap', name: 'partly', jsonPointers: ['/data/a.b'] };
    const subject = await world.start('partly', [object], { ignoreDifferences: [rule] });
    await admin().patch(subject.ref(object), { data: { 'a.b': 'theirs', colour: 'blue' } }, { fieldManager: 'mallory' });
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ 'a.b': 'theirs', colour: 'red' }));
    const status = await untilStatus(world.namespace, 'partly', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]).toMatchObject({ fields: ['.data.colour'], manager: 'mallory', healed: true });
  }, 90_000);

  test('without self-heal an ignored field leaves the Application Synced, and nothing is written', async () => {
    const object = settings('watched', { mode: 'auto', colour: 'red' });
    const subject = await world.start('watched', [object], {
      selfHeal: false,
      ignoreDifferences: [{ kind: 'ConfigMap', jsonPointers: ['/data/mode'] }],
    });
    world.proxy.clear();
    await admin().patch(subject.ref(object), { data: { mode: 'manual' } }, { fieldManager: 'controller' });
    await checkNoDrift(subject, object);
    expect(world.writesTo(object)).toEqual([]);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'manual', colour: 'red' });
  }, 90_000);

  test('when the rule goes, Git decides again; when it comes back, the live value stays', async () => {
    const object = settings('ruled', { mode: 'auto' });
    const rules = [{ kind: 'ConfigMap', name: 'ruled', jsonPointers: ['/data/mode'] }];
    const subject = await world.start('ruled', [object], { ignoreDifferences: rules });
    await admin().patch(subject.ref(object), { data: { mode: 'manual' } }, { fieldManager: 'controller' });
    await checkNoDrift(subject, object);
    await subject.configure({});
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'auto' }));
    await subject.configure({ ignoreDifferences: rules });
    await untilStatus(world.namespace, 'ruled', ({ observedGeneration, sync }) => {
      expect(observedGeneration).toBe(3);
      expect(sync?.status).toBe('Synced');
    });
    await admin().patch(subject.ref(object), { data: { mode: 'manual' } }, { fieldManager: 'controller' });
    const status = await subject.declare(object, settings('ruled-marker', { at: 'later' }));
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'manual' });
    expect(status.drift?.filter(({ healed }) => !healed) ?? []).toEqual([]);
  }, 90_000);

  test('a rule that comes and changes nothing is told as no update', async () => {
    const subject = await world.start('unmoved', [settings('unmoved-a', { a: '1' }), settings('unmoved-b', { b: '2' })]);
    await subject.configure({ ignoreDifferences: [{ group: '*', kind: '*', managers: ['nobody'] }] });
    const status = await untilStatus(world.namespace, 'unmoved', ({ observedGeneration, sync }) => {
      expect([observedGeneration, sync?.status]).toEqual([2, 'Synced']);
    });
    expect(status.history).toMatchObject([{ initiatedBy: 'commit', counts: { create: 2, update: 0 } }]);
    expect(status.sync?.counts).toMatchObject({ create: 2, update: 0 });
  }, 90_000);

  test('T8 values of a Secret that is partly ignored are in no log and no status', async () => {
    const secret = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' } },
      stringData: { token: 'first', rotated: 'start' },
    };
    const subject = await world.start('keys', [secret], { ignoreDifferences: [{ kind: 'Secret', jsonPointers: ['/data/rotated'] }] });
    const canary = Buffer.from('canary-value').toString('base64');
    await admin().patch(subject.ref(secret), { data: { rotated: canary } }, { fieldManager: 'rotator' });
    await checkNoDrift(subject, { ...secret, stringData: { token: 'second', rotated: 'start' } });
    const live = (await admin().get(subject.ref(secret)))['data'];
    expect(live).toEqual({ token: Buffer.from('second').toString('base64'), rotated: canary });
    const told = JSON.stringify([world.operator.logs(), (await getApplication(world.namespace, 'keys')).status]);
    expect(told).not.toMatch(new RegExp(`canary-value|${canary.replaceAll('=', '')}`));
  }, 90_000);

  test('what exists already is adopted with its live value', async () => {
    const object = settings('adopted', { mode: 'auto', colour: 'red' });
    const live = { ...object, metadata: { name: 'adopted', namespace: world.namespace }, data: { mode: 'manual' } };
    await admin().create(live, { fieldManager: 'controller' });
    const subject = await world.start('adopted', [object], { ignoreDifferences: [{ kind: 'Config*', jsonPointers: ['/data/mode'] }] });
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'manual', colour: 'red' });
    expect(await holdersOf(subject, object, 'mode')).toEqual(['controller']);
  }, 90_000);
});

describe('with field managers', () => {
  test('every field that a named manager owns is left to it; an unnamed one is healed', async () => {
    const object = settings('managed', { mode: 'auto', colour: 'red' });
    const subject = await world.start('managed', [object], { ignoreDifferences: [{ group: '*', kind: '*', managers: ['controller'] }] });
    await admin().patch(subject.ref(object), { data: { mode: 'manual' } }, { fieldManager: 'controller' });
    await checkNoDrift(subject, object);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'manual', colour: 'red' });
    await admin().patch(subject.ref(object), { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ mode: 'manual', colour: 'red' }));
    const status = await untilStatus(world.namespace, 'managed', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]).toMatchObject({ fields: ['.data.colour'], manager: 'mallory' });
  }, 90_000);

  test('the object is pruned like any other', async () => {
    const object = settings('leaving', { mode: 'auto' });
    const subject = await world.start('leaving', [object, settings('staying', {})], {
      ignoreDifferences: [{ kind: 'ConfigMap', managers: ['controller'] }],
    });
    await admin().patch(subject.ref(object), { data: { mode: 'manual' } }, { fieldManager: 'controller' });
    await subject.declare(settings('staying', {}));
    expect(await admin().tryGet(subject.ref(object))).toBeUndefined();
  }, 90_000);
});
