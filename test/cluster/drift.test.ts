// Drift on a real API server: which edits are noticed, who is named for which fields, and what is no drift at all.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { baselineOf } from '../../operator/apply/baseline.ts';
import { createObserver } from '../../operator/cluster/observer.ts';
import type { TenantIdentity } from '../../operator/model/identity.ts';
import type { KubeObject } from '../../operator/model/manifest.ts';
import type { Baseline, Drift, ObservedObject } from '../../operator/model/observed.ts';
import { fieldsHash, ownEntry } from '../../operator/model/own-fields.ts';
import { describeDrift } from '../../operator/observe/describe-drift.ts';
import { judgeTrigger, type Verdict } from '../../operator/observe/judge-trigger.ts';
import type { ObjectObserver } from '../../operator/reconcile/ports.ts';
import { admin, eventually, testNamespace } from '../support/cluster.ts';
import { type Connected, configMap, connect, never, tenantWith } from './connected.ts';

let namespace: string;
let identity: TenantIdentity;
let connected: Connected;
let observer: ObjectObserver;

beforeAll(async () => {
  connected = await connect();
  observer = createObserver({ client: connected.client, discovery: connected.discovery, emit: () => undefined, signal: never });
}, 60_000);

beforeEach(async () => {
  namespace = await testNamespace('drift');
  identity = await tenantWith(namespace);
});

function deployment(template: object = {}, replicas = 0): KubeObject {
  const labels = { app: 'web' };
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx:1' }], ...template } },
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec };
}

const refOf = (object: KubeObject) => ({ apiVersion: object.apiVersion, kind: object.kind, namespace, name: object.metadata.name });
const apply = (object: KubeObject, dryRun = false) => connected.writer.apply(identity, object, { dryRun, force: true }, never);

interface Applied {
  readonly object: KubeObject;
  readonly baseline: Baseline;
}

async function applied(object: KubeObject): Promise<Applied> {
  // The server's times are in seconds: an edit in the same second would leave our entry's time as it is, which must not matter.
  return { object, baseline: baselineOf(await apply(object)) };
}

async function look({ object }: Applied): Promise<ObservedObject> {
  const observed = await observer.fetch(refOf(object));
  if (observed === undefined) throw new Error('it is gone');
  return observed;
}

async function checkVerdict(subject: Applied, expected: Verdict): Promise<void> {
  expect(judgeTrigger(subject.baseline, await observer.fetch(refOf(subject.object)))).toBe(expected);
}

/** Notices, puts right, and describes; the text is what a person reads. */
async function checkDrift(subject: Applied, expected: string | RegExp): Promise<Drift> {
  const drifted = await look(subject);
  expect(judgeTrigger(subject.baseline, drifted)).toBe('suspect');
  const before = (await connected.writer.read(identity, refOf(subject.object), never)) ?? {};
  const restored = await apply(subject.object);
  expect(baselineOf(restored).resourceVersion).not.toBe(drifted.resourceVersion);
  const drift = describeDrift({ drifted, restored, before, healed: true, seenAt: new Date(0) });
  const told = `${drift.manager}/${drift.operation} ${drift.fields.join(' ')}`;
  if (typeof expected === 'string') expect(told).toBe(expected);
  else expect(told).toMatch(expected);
  expect(judgeTrigger(baselineOf(restored), await look(subject))).toBe('same');
  return drift;
}

/** The Deployment controller writes of its own accord after each generation; what is compared must come after that. */
async function settled({ object }: Applied): Promise<void> {
  if (object.kind !== 'Deployment') return;
  await eventually(async () => {
    const { metadata, status } = await admin().get(refOf(object));
    const { observedGeneration, conditions = [] } = status ?? {};
    expect(observedGeneration).toBe(metadata.generation);
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Progressing', reason: 'NewReplicaSetAvailable' }));
  });
}

/** Noticed, but the server says that there was nothing to put right. */
async function checkNoDrift(subject: Applied): Promise<void> {
  await checkVerdict(subject, 'suspect');
  await settled(subject);
  const { resourceVersion } = await look(subject);
  expect(baselineOf(await apply(subject.object)).resourceVersion).toBe(resourceVersion);
}

describe('edits are noticed and attributed', () => {
  test('replicas changed with kubectl edit', async () => {
    const subject = await applied(deployment());
    await admin().patch(refOf(subject.object), { spec: { replicas: 3 } }, { fieldManager: 'kubectl-edit' });
    const drift = await checkDrift(subject, 'kubectl-edit/Update .spec.replicas');
    expect(drift).toMatchObject({ kind: 'changed', healed: true, time: expect.stringMatching(/^2\d{3}-/) });
  });

  test('an image in a list of containers, and a label, by two people', async () => {
    const subject = await applied({ ...deployment(), metadata: { name: 'web', namespace, labels: { tier: 'front' } } });
    await admin().patch(refOf(subject.object), { metadata: { labels: { tier: 'back' } } }, { fieldManager: 'kubectl-label' });
    await admin().patch(refOf(subject.object), [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'nginx:2' }], {
      type: 'json',
      fieldManager: 'kubectl-set',
    });
    await checkDrift(
      subject,
      /^kubectl-(set|label)\/Update \.metadata\.labels\.tier \.spec\.template\.spec\.containers\[name="web"\]\.image$/,
    );
  });

  test('a server-side apply that takes a field by force', async () => {
    const subject = await applied(configMap(namespace, 'settings'));
    await admin().apply(configMap(namespace, 'settings', { key: 'theirs' }), { fieldManager: 'helm' });
    await checkDrift(subject, 'helm/Apply .data.key');
  });

  test("a removed field is in nobody's entry: the manager is unknown and the time is that of the look", async () => {
    const subject = await applied(configMap(namespace, 'settings', { a: '1', b: '2' }));
    await admin().patch(refOf(subject.object), [{ op: 'remove', path: '/data/b' }], { type: 'json', fieldManager: 'kubectl-edit' });
    const drift = await checkDrift(subject, 'unknown/unknown .data.b');
    expect(drift.time).toBe('1970-01-01T00:00:00.000Z');
  });

  test('kubectl scale, whose entry is of a subresource', async () => {
    const subject = await applied(deployment());
    await admin().patch(refOf(subject.object), { spec: { replicas: 2 } }, { fieldManager: 'kubectl', subresource: 'scale' });
    await checkDrift(subject, 'kubectl/Update .spec.replicas');
  });

  test('a field set inside a map that is declared empty leaves our entry as it is, but the generation tells', async () => {
    const subject = await applied(deployment({ securityContext: {} }));
    await admin().patch(
      refOf(subject.object),
      { spec: { template: { spec: { securityContext: { runAsUser: 7 } } } } },
      { fieldManager: 'kubectl-edit' },
    );
    await checkVerdict(subject, 'suspect');
  });

  test('somebody who applies in our name is noticed', async () => {
    const subject = await applied(deployment());
    await admin().apply({ ...deployment(), spec: { ...(deployment()['spec'] as object), replicas: 4 } }, { fieldManager: 'setpoint' });
    await checkDrift(subject, 'unknown/unknown .spec.replicas');
  });

  test('a label that somebody applies in our name: only the time of our entry tells', async () => {
    const labelled = (tier: string): KubeObject => ({ ...deployment(), metadata: { name: 'web', namespace, labels: { tier } } });
    const subject = await applied(labelled('front'));
    // Times are in seconds.
    await eventually(async () => {
      await admin().apply(labelled(`back-${Math.random()}`), { fieldManager: 'setpoint' });
      await checkVerdict(subject, 'suspect');
    });
    const { generation, managedFields } = await look(subject);
    expect([generation, fieldsHash(ownEntry(managedFields))]).toEqual([subject.baseline.generation, subject.baseline.fieldsHash]);
  });

  test('T8 no value of a Secret is in a drift', async () => {
    const subject = await applied({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key', namespace },
      data: { password: Buffer.from('first').toString('base64') },
    });
    await admin().patch(
      refOf(subject.object),
      { data: { password: Buffer.from('canary').toString('base64') } },
      { fieldManager: 'kubectl-edit' },
    );
    const drift = await checkDrift(subject, 'kubectl-edit/Update .data.password');
    expect(JSON.stringify(drift)).not.toMatch(/canary|Y2FuYXJ5|Zmlyc3Q/);
  });

  test('deleted, and made anew under the same name', async () => {
    const subject = await applied(configMap(namespace, 'settings'));
    await admin().delete(refOf(subject.object));
    await checkVerdict(subject, 'gone');
    await admin().create(configMap(namespace, 'settings'));
    await checkVerdict(subject, 'replaced');
  });
});

describe('no drift', () => {
  test('status updates of a controller trigger nothing on a kind that counts generations', async () => {
    const subject = await applied(deployment({}, 1));
    await eventually(async () => expect((await admin().get(refOf(subject.object)))['status'].readyReplicas).toBe(1));
    expect((await look(subject)).resourceVersion).not.toBe(subject.baseline.resourceVersion);
    await checkVerdict(subject, 'same');
  });

  test('a label that somebody adds to a kind that counts generations', async () => {
    const subject = await applied(deployment());
    await admin().patch(refOf(subject.object), { metadata: { labels: { note: 'x' } } }, { fieldManager: 'kubectl-label' });
    await checkVerdict(subject, 'same');
  });

  test('an annotation on a Deployment counts as a generation there: looked into, and nothing to put right', async () => {
    const subject = await applied(deployment());
    await settled(subject);
    await admin().patch(refOf(subject.object), { metadata: { annotations: { note: 'x' } } }, { fieldManager: 'kubectl-annotate' });
    await checkNoDrift(subject);
  });

  test('of a kind without generation every change is looked into; the apply writes nothing when nothing of ours changed', async () => {
    const subject = await applied(configMap(namespace, 'settings'));
    await admin().patch(refOf(subject.object), { data: { theirs: 'x' } }, { fieldManager: 'kubectl-edit' });
    await checkNoDrift(subject);
  });

  test('edited and restored', async () => {
    const subject = await applied(configMap(namespace, 'settings'));
    await admin().patch(refOf(subject.object), { data: { key: 'other' } });
    await admin().patch(refOf(subject.object), { data: { key: 'value' } });
    await checkVerdict(subject, 'suspect');
    const before = await connected.writer.read(identity, refOf(subject.object), never);
    const restored = await apply(subject.object);
    expect(
      describeDrift({ drifted: await look(subject), restored, before: before ?? {}, healed: true, seenAt: new Date() }).fields,
    ).toEqual([]);
  });

  test('managedFields emptied by hand: ownership is taken back', async () => {
    const subject = await applied(deployment());
    await admin().patch(refOf(subject.object), [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }], { type: 'json' });
    await checkVerdict(subject, 'suspect');
    const restored = baselineOf(await apply(subject.object));
    expect(restored.fieldsHash).toBe(subject.baseline.fieldsHash);
  });

  test('an observation older than our own apply says nothing', async () => {
    const subject = await applied(configMap(namespace, 'settings'));
    const old = await look(subject);
    const newer = await applied(configMap(namespace, 'settings', { key: 'new' }));
    expect(judgeTrigger(newer.baseline, old)).toBe('same');
  });
});
