// Drift: seen at once, judged by the server, attributed, healed or shown.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  getApplication,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('heal');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

async function start(
  name: string,
  sync: { selfHeal?: boolean } = {},
  suspend = false,
): Promise<{ apiVersion: string; kind: string; namespace: string; name: string }> {
  const { repo, url } = await createRepo(git, {
    'a.yaml': configMap(`${name}-a`, { colour: 'red', size: 'big' }),
    'b.yaml': configMap(`${name}-b`, { x: 'y' }),
  });
  await applyApplication(namespace, name, { source: { repoURL: url, interval: '1h' }, sync });
  await untilSynced(namespace, name, await repo.head());
  if (suspend) await applyApplication(namespace, name, { source: { repoURL: url, interval: '1h' }, sync, suspend });
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${name}-a` };
}

describe('with self-heal', () => {
  test('a changed field is healed and attributed to who changed it', async () => {
    const object = await start('edited');
    await admin().patch(object, { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
    await eventually(async () => expect((await admin().get(object))['data']).toEqual({ colour: 'red', size: 'big' }));
    const status = await untilStatus(namespace, 'edited', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]).toMatchObject({
      object: { kind: 'ConfigMap', name: 'edited-a' },
      kind: 'changed',
      fields: ['.data.colour'],
      manager: 'mallory',
      operation: 'Update',
      healed: true,
    });
    expect(status.history?.[0]).toMatchObject({ result: 'Synced', initiatedBy: 'drift', counts: { update: 1 } });
    expect(conditionOf(status, 'Ready')?.status).toBe('True');
  }, 90_000);

  test('A26 a deleted object is created again', async () => {
    const object = await start('deleted');
    const { uid } = (await admin().get(object)).metadata;
    await admin().delete(object);
    await eventually(async () => {
      const live = await admin().get(object);
      expect(live.metadata.uid).not.toBe(uid);
      expect(live['data']).toEqual({ colour: 'red', size: 'big' });
    });
    await untilStatus(namespace, 'deleted', ({ drift, conditions }) => {
      expect(drift?.[0]).toMatchObject({ kind: 'deleted', fields: [], healed: true });
      expect(conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    });
  }, 90_000);

  test('A26 an object that is deleted again and again is created more and more rarely', async () => {
    const object = await start('hunted');
    const exists = async (): Promise<void> => expect(await admin().tryGet(object)).toBeDefined();
    for (let round = 1; round <= 5; round += 1) {
      await eventually(exists);
      await admin().delete(object);
    }
    await eventually(exists);
    await admin().delete(object);
    const status = await untilStatus(namespace, 'hunted', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    expect(conditionOf(status, 'Ready')?.message).toMatch(/hunted-a was healed 5 times and is changed again by somebody/);
    await eventually(exists, { timeout: 20_000 });
    await untilStatus(namespace, 'hunted', ({ sync }) => expect(sync?.status).toBe('Synced'));
  }, 60_000);

  test('A24 an object whose label was taken away gets it back and is not created twice', async () => {
    const object = await start('unlabelled');
    const { uid } = (await admin().get(object)).metadata;
    await admin().patch(object, { metadata: { labels: { 'setpoint.dev/application': null } } });
    await eventually(async () => {
      const { metadata } = await admin().get(object);
      expect(metadata.labels?.['setpoint.dev/application']).toBeDefined();
      expect(metadata.uid).toBe(uid);
    });
  }, 90_000);

  test('a field that others add is left alone, and is no drift', async () => {
    const object = await start('added');
    await admin().patch(object, { metadata: { annotations: { 'example.com/note': 'mine' } } });
    const after = (await admin().get(object)).metadata.resourceVersion;
    // The heal of another object, asked for later, has ended: so has the judgement of this one.
    await admin().patch({ ...object, name: 'added-b' }, { data: { x: 'changed' } });
    const status = await untilStatus(namespace, 'added', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]?.object.name).toBe('added-b');
    expect((await admin().get(object)).metadata).toMatchObject({ resourceVersion: after, annotations: { 'example.com/note': 'mine' } });
  }, 90_000);

  test('a controller that writes an annotation over and over while commits change and drop fields is no drift', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('busy', { colour: 'red', size: 'big' }) });
    await applyApplication(namespace, 'busy', { source: { repoURL: url, interval: '1s' } });
    await untilSynced(namespace, 'busy', await repo.head());
    const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'busy' };
    let writing = true;
    const writer = (async () => {
      for (let count = 0; writing; count += 1)
        await admin().patch(object, { metadata: { annotations: { 'example.com/count': `${count}` } } }, { fieldManager: 'controller' });
    })();
    try {
      for (const data of [{ colour: 'blue', size: 'big' }, { colour: 'blue' }, { colour: 'green', shape: 'round' }]) {
        const commit = await push(repo, 'change', { 'a.yaml': configMap('busy', data as Record<string, string>) });
        const { drift } = await untilSynced(namespace, 'busy', commit);
        expect(drift ?? []).toEqual([]);
      }
    } finally {
      writing = false;
      await writer;
    }
    const { drift, history } = await untilStatus(namespace, 'busy', ({ sync }) => expect(sync?.status).toBe('Synced'));
    expect(drift ?? []).toEqual([]);
    expect(history?.map(({ initiatedBy }) => initiatedBy)).not.toContain('drift');
  }, 60_000);

  test('A2 a field that is changed back at once, again and again, is healed more and more rarely, and who does it is named', async () => {
    const object = await start('fought');
    const healed = (): number =>
      operator.logs().filter((line) => line['event'] === 'drift' && line['application'] === `${namespace}/fought`).length;
    for (let round = 1; round <= 5; round += 1) {
      await admin().patch(object, { data: { colour: `round ${round}` } }, { fieldManager: 'other-operator' });
      await eventually(async () => expect((await admin().get(object))['data']).toMatchObject({ colour: 'red' }));
    }
    await admin().patch(object, { data: { colour: 'round 6' } }, { fieldManager: 'other-operator' });
    const status = await untilStatus(namespace, 'fought', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    expect(conditionOf(status, 'Ready')?.message).toMatch(
      /^ConfigMap \S+\/fought-a was healed 5 times and is changed again by other-operator; it is healed again in \d s/,
    );
    expect(healed()).toBe(5);
    const text = `ConfigMap ${namespace}/fought-a: each heal is undone by other-operator; it is healed more and more rarely`;
    await eventually(async () => {
      const events = await admin().list('events.k8s.io/v1', 'Event', { namespace });
      const fights = events.filter((event) => event['regarding']?.name === 'fought' && event['reason'] === 'FightDetected');
      expect(fights.map((event) => String(event['note']))).toEqual([expect.stringContaining(text)]);
    });
    const metrics = await (await fetch(`${operator.metricsUrl}/metrics`)).text();
    expect(metrics).toMatch(new RegExp(`^setpoint_drift_fights_total\\{namespace="${namespace}",name="fought"\\} [1-9]`, 'm'));
    await eventually(async () => expect((await admin().get(object))['data']).toMatchObject({ colour: 'red' }), { timeout: 10_000 });
    await untilStatus(namespace, 'fought', ({ sync }) => expect(sync?.status).toBe('Synced'));
  }, 60_000);
});

describe('without self-heal', () => {
  test('drift is shown with who did it, nothing is written, and it is Synced again when the person takes it back', async () => {
    const object = await start('shown', { selfHeal: false });
    await admin().patch(object, { data: { size: 'small' } }, { fieldManager: 'mallory' });
    const status = await untilStatus(namespace, 'shown', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    expect(status.drift).toHaveLength(1);
    expect(status.drift?.[0]).toMatchObject({ fields: ['.data.size'], manager: 'mallory', healed: false });
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'OutOfSync' });
    expect(conditionOf(status, 'Ready')?.message).toContain('shown-a differs from Git at .data.size; self-heal is off');
    expect((await admin().get(object))['data']).toMatchObject({ size: 'small' });
    await admin().patch(object, { data: { size: 'big' } }, { fieldManager: 'mallory' });
    await untilStatus(namespace, 'shown', ({ sync }) => expect(sync?.status).toBe('Synced'));
  }, 90_000);

  test('a deleted object is shown as missing and not created', async () => {
    const object = await start('missing', { selfHeal: false });
    await admin().delete(object);
    const status = await untilStatus(namespace, 'missing', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    expect(conditionOf(status, 'Ready')?.message).toContain('missing-a was deleted; self-heal is off');
    expect(status.health).toMatchObject({ status: 'Missing', object: { name: 'missing-a' } });
    expect(await admin().tryGet(object)).toBeUndefined();
  }, 90_000);
});

test('a suspended Application heals nothing and shows the drift', async () => {
  const object = await start('suspended', {}, true);
  await untilStatus(namespace, 'suspended', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
  await admin().patch(object, { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
  await untilStatus(namespace, 'suspended', ({ drift }) => expect(drift?.[0]).toMatchObject({ manager: 'mallory', healed: false }));
  expect((await admin().get(object))['data']).toMatchObject({ colour: 'blue' });
  const { spec } = await getApplication(namespace, 'suspended');
  await applyApplication(namespace, 'suspended', { ...(spec as Parameters<typeof applyApplication>[2]), suspend: false });
  await eventually(async () => expect((await admin().get(object))['data']).toMatchObject({ colour: 'red' }));
}, 90_000);
