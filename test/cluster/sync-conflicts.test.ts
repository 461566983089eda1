// Declared fields that other managers hold: taken over and told, or left with their owner and told.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conditionOf, untilStatus } from '../support/application.ts';
import { admin, eventually } from '../support/cluster.ts';
import { type DeclaredObject, type DriftWorld, startDriftWorld } from '../support/drift-world.ts';

let world: DriftWorld;

beforeAll(async () => {
  world = await startDriftWorld('conflict');
}, 90_000);

afterAll(() => world?.stop(), 60_000);

const settings = (name: string, data: Readonly<Record<string, string>>): DeclaredObject => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
};

/** Notes of the Kubernetes Events of an Application. */
async function notesOf(name: string, reason: string): Promise<string[]> {
  const events = await admin().list('events.k8s.io/v1', 'Event', { namespace: world.namespace });
  return events.filter((event) => event['regarding']?.name === name && event['reason'] === reason).map((event) => String(event['note']));
}

async function createAs(fieldManager: string, object: DeclaredObject): Promise<void> {
  await admin().create({ ...object, metadata: { ...object.metadata, namespace: world.namespace } }, { fieldManager });
}

describe('Force', () => {
  test('A1 fields of others are taken over and told with fields and managers', async () => {
    await createAs('tuner', settings('taken', { colour: 'blue', size: 'big', theirs: 'x' }));
    const object = settings('taken', { colour: 'red', size: 'big' });
    const subject = await world.start('taken', [object]);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'big', theirs: 'x' });
    const text = `ConfigMap ${world.namespace}/taken: took .data.colour from tuner`;
    await eventually(async () => expect(await notesOf('taken', 'FieldsTakenOver')).toEqual([text]));
    await subject.declare(settings('taken', { colour: 'green', size: 'big' }));
    expect(await notesOf('taken', 'FieldsTakenOver')).toEqual([text]);
  }, 90_000);
});

describe('Fail', () => {
  test('A1 an object with fields of others is left as it is and told; the others of the commit are applied', async () => {
    await createAs('tuner', settings('held', { colour: 'blue' }));
    const { metadata } = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: world.namespace, name: 'held' });
    const object = settings('held', { colour: 'red', size: 'big' });
    const subject = await world.start('held', [settings('held-other', { a: '1' })], { conflicts: 'Fail' });
    world.proxy.clear();
    await subject.commit(object, settings('held-other', { a: '2' }), settings('held-third', {}));
    const status = await untilStatus(world.namespace, 'held', (current) =>
      expect(conditionOf(current, 'Ready')?.reason).toBe('ApplyConflict'),
    );
    expect(conditionOf(status, 'Ready')?.message).toContain(
      `apply ConfigMap ${world.namespace}/held: field manager conflict on .data.colour (tuner); stop declaring the fields`,
    );
    expect(status.sync?.status).toBe('OutOfSync');
    const live = await admin().get(subject.ref(object));
    expect([live['data'], live.metadata.resourceVersion]).toEqual([{ colour: 'blue' }, metadata.resourceVersion]);
    expect((await admin().get(subject.ref(settings('held-other', {}))))['data']).toEqual({ a: '2' });
    expect(await admin().tryGet(subject.ref(settings('held-third', {})))).toBeDefined();
    expect(world.writesTo(object)).toEqual([]);
    // Its owner lets go: the next try applies it.
    await admin().patch(subject.ref(object), { data: { colour: null } }, { fieldManager: 'tuner' });
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'big' }), {
      timeout: 40_000,
    });
    await untilStatus(world.namespace, 'held', (current) => expect(conditionOf(current, 'Ready')?.status).toBe('True'));
  }, 120_000);

  test('a field of ours that somebody changes is drift, which self-heal decides about', async () => {
    const object = settings('own', { colour: 'red' });
    const subject = await world.start('own', [object], { conflicts: 'Fail' });
    await admin().patch(subject.ref(object), { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red' }));
    const status = await untilStatus(world.namespace, 'own', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]).toMatchObject({ fields: ['.data.colour'], manager: 'mallory', healed: true });
  }, 90_000);

  test('a field of ours that somebody changed does not keep the next commit away; only what a commit begins to declare does', async () => {
    const object = settings('scaled', { colour: 'red', size: 'big' });
    const subject = await world.start('scaled', [object], { conflicts: 'Fail', selfHeal: false });
    await admin().patch(subject.ref(object), { data: { colour: 'blue', 'note.txt': 'x' } }, { fieldManager: 'mallory' });
    await untilStatus(world.namespace, 'scaled', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    const taken = await subject.declare(settings('scaled', { colour: 'red', size: 'small' }));
    expect(taken.drift).toMatchObject([{ fields: ['.data.colour'], manager: 'mallory', healed: true }]);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'small', 'note.txt': 'x' });
    await eventually(async () =>
      expect(await notesOf('scaled', 'FieldsTakenOver')).toEqual([`ConfigMap ${world.namespace}/scaled: took .data.colour from mallory`]),
    );
    await subject.commit(settings('scaled', { colour: 'red', size: 'small', 'note.txt': 'ours' }));
    const status = await untilStatus(world.namespace, 'scaled', (current) =>
      expect(conditionOf(current, 'Ready')?.reason).toBe('ApplyConflict'),
    );
    expect(conditionOf(status, 'Ready')?.message).toContain('field manager conflict on .data.note.txt (mallory)');
  }, 120_000);
});
