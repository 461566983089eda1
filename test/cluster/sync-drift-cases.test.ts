// Cases of drift, and of what only looks like it, with the running operator: live value, status and number of writes of each.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { trackingAnnotation, trackingLabel } from '../../constructs/annotations.ts';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { conditionOf, getApplication, untilStatus } from '../support/application.ts';
import { admin, eventually, kubectl, uniqueName } from '../support/cluster.ts';
import { type DeclaredObject, type DriftWorld, type Subject, startDriftWorld } from '../support/drift-world.ts';

let world: DriftWorld;

beforeAll(async () => {
  world = await startDriftWorld('cases');
}, 90_000);

afterAll(() => world?.stop(), 60_000);

const settings = (name: string, data: Readonly<Record<string, string>> = { colour: 'red', size: 'big' }): DeclaredObject => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
};

/** Everything noticed so far has been judged once a later commit is synced. */
async function judged(subject: Subject, ...objects: readonly DeclaredObject[]): Promise<ApplicationStatus> {
  return subject.declare(...objects, settings(`${subject.name}-marker`, { at: String(Date.now()) }));
}

async function untilDrift(name: string, expected: object): Promise<ApplicationStatus> {
  return untilStatus(world.namespace, name, ({ drift }) => expect(drift?.[0]).toMatchObject(expected));
}

/** Leaves of our own entry, as text. */
async function ownFields(subject: Subject, object: DeclaredObject): Promise<string> {
  const { metadata } = await admin().get(subject.ref(object));
  return JSON.stringify(
    metadata.managedFields?.find(({ manager, operation }) => manager === 'setpoint' && operation === 'Apply')?.fieldsV1,
  );
}

describe('healed', () => {
  test('data of a Secret that Git declares as stringData, and no value is told', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { token: 'declared' } };
    const subject = await world.start('keys', [secret]);
    world.proxy.clear();
    const canary = Buffer.from('canary-value').toString('base64');
    await admin().patch(subject.ref(secret), { data: { token: canary } }, { fieldManager: 'mallory' });
    const status = await untilDrift('keys', { fields: ['.data.token'], manager: 'mallory', healed: true });
    expect((await admin().get(subject.ref(secret)))['data']).toEqual({ token: Buffer.from('declared').toString('base64') });
    expect(world.writesTo(secret)).toHaveLength(1);
    expect(JSON.stringify([status, world.operator.logs()])).not.toMatch(/canary-value|Y2FuYXJ5|ZGVjbGFyZW/);
  }, 90_000);

  test('what a person applies in our name, with our marks or without', async () => {
    const object = settings('impostor');
    const subject = await world.start('impostor', [object]);
    const { uid, labels, annotations } = (await admin().get(subject.ref(object))).metadata;
    const marks = {
      labels: { [trackingLabel]: labels?.[trackingLabel] },
      annotations: { [trackingAnnotation]: annotations?.[trackingAnnotation] },
    };
    const applyAs = (data: object, more: object = {}) =>
      admin().apply({ ...object, metadata: { name: 'impostor', namespace: world.namespace, ...more }, data }, { fieldManager: 'setpoint' });
    const healed = async (): Promise<void> => {
      const live = await admin().get(subject.ref(object));
      expect([live['data'], live.metadata.uid]).toEqual([{ colour: 'red', size: 'big' }, uid]);
      expect(live.metadata.labels?.[trackingLabel]).toBe(labels?.[trackingLabel]);
    };
    world.proxy.clear();
    await applyAs({ colour: 'blue', size: 'big' }, marks);
    await eventually(healed);
    await untilDrift('impostor', { fields: ['.data.colour'], manager: 'unknown', healed: true });
    expect(world.writesTo(object)).toHaveLength(1);
    await applyAs({ colour: 'blue' });
    await eventually(healed);
    await untilStatus(world.namespace, 'impostor', ({ drift }) => expect(drift?.length).toBeGreaterThanOrEqual(2));
  }, 90_000);

  test('kubectl scale, whose entry has no time of its own', async () => {
    const labels = { app: 'scaled' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'scaled' }, spec };
    const subject = await world.start('scaled', [web]);
    await kubectl(['scale', 'deployment/scaled', '--replicas=3', '-n', world.namespace]);
    const status = await untilDrift('scaled', { fields: ['.spec.replicas'], manager: 'kubectl', healed: true });
    expect(Number.isNaN(Date.parse(status.drift?.[0]?.time ?? ''))).toBe(false);
    expect((await admin().get(subject.ref(web)))['spec'].replicas).toBe(1);
  }, 90_000);

  test("a field that was removed is nobody's doing: the manager is unknown", async () => {
    const object = settings('removed');
    const subject = await world.start('removed', [object]);
    world.proxy.clear();
    await admin().patch(subject.ref(object), { data: { size: null } }, { fieldManager: 'mallory' });
    await untilDrift('removed', { fields: ['.data.size'], manager: 'unknown', healed: true });
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'big' });
    // The heal is one request in all: nothing is read and nothing tried before.
    const requests = world.proxy.requests.filter(({ path }) => path.endsWith('/configmaps/removed'));
    expect(requests.map(({ method, query }) => [method, query.has('dryRun')])).toEqual([['PATCH', false]]);
  }, 90_000);
});

test('of more than ten who updated an object the first is forgotten: the manager of the drift becomes unknown', async () => {
  const object = settings('crowded');
  const subject = await world.start('crowded', [object], { selfHeal: false });
  await admin().patch(subject.ref(object), { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
  await untilDrift('crowded', { fields: ['.data.colour'], manager: 'mallory', healed: false });
  // The server merges the oldest entries, by times in seconds: it may take more than ten.
  let count = 0;
  await eventually(
    async () => {
      count += 1;
      await admin().patch(subject.ref(object), { metadata: { annotations: { [`x${count}`]: 'y' } } }, { fieldManager: `updater-${count}` });
      const { metadata } = await admin().get(subject.ref(object));
      expect(metadata.managedFields?.map(({ manager }) => manager)).not.toContain('mallory');
    },
    { timeout: 60_000, interval: 200 },
  );
  await untilDrift('crowded', { fields: ['.data.colour'], manager: 'unknown', healed: false });
}, 120_000);

describe('no drift', () => {
  test('managedFields emptied by hand: ownership is taken back', async () => {
    const object = settings('emptied');
    const subject = await world.start('emptied', [object]);
    const before = await ownFields(subject, object);
    world.proxy.clear();
    await admin().patch(subject.ref(object), [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }], { type: 'json' });
    await eventually(async () => expect(await ownFields(subject, object)).toBe(before));
    const status = await judged(subject, object);
    expect(status.drift ?? []).toEqual([]);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'big' });
    expect(world.writesTo(object)).toHaveLength(1);
  }, 90_000);

  test('edited and restored before anybody looked: ownership is taken back', async () => {
    const object = settings('restored');
    const subject = await world.start('restored', [object]);
    const before = await ownFields(subject, object);
    // The operator is kept from looking until the value is right again.
    let letGo: () => void = () => undefined;
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    world.proxy.onRequest = ({ path, method }) => (method !== 'GET' && path.endsWith('/restored') ? { until } : undefined);
    try {
      world.proxy.clear();
      await admin().patch(subject.ref(object), { data: { colour: 'blue' } }, { fieldManager: 'mallory' });
      await admin().patch(subject.ref(object), { data: { colour: 'red' } }, { fieldManager: 'mallory' });
    } finally {
      world.proxy.onRequest = undefined;
      letGo();
    }
    await eventually(async () => expect(await ownFields(subject, object)).toBe(before));
    const status = await judged(subject, object);
    expect(status.drift ?? []).toEqual([]);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', size: 'big' });
    expect(world.writesTo(object).length).toBeLessThanOrEqual(2);
  }, 90_000);

  test('a map of a custom resource that turns from granular to atomic', async () => {
    const group = `${uniqueName('case')}.example.com`;
    const definition = (mapType: 'granular' | 'atomic') => ({
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `things.${group}` } },
      spec: {
        ...{ group, scope: 'Namespaced', names: { kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList' } },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schemaWith(mapType) } }],
      },
    });
    const schemaWith = (mapType: string) => {
      const map = { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': mapType };
      return { type: 'object', properties: { spec: { type: 'object', properties: { settings: map } } } };
    };
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` };
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: group };
    const aggregated = { name: group, labels: { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' } };
    await admin().apply({
      ...role,
      name: undefined,
      metadata: aggregated,
      rules: [{ apiGroups: [group], resources: ['*'], verbs: ['*'] }],
    });
    await admin().apply(definition('granular'));
    await eventually(() => admin().list(`${group}/v1`, 'Thing', { namespace: world.namespace }), { timeout: 30_000 });
    try {
      const thing = { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'one' }, spec: { settings: { a: '1', b: '2' } } };
      const subject = await world.start('atomic', [thing]);
      await admin().apply(definition('atomic'));
      world.proxy.clear();
      // Somebody's harmless write makes the server bring the entries in line with the schema; when it has the new one, it tells nobody.
      let writes = 0;
      await eventually(
        async () => {
          writes += 1;
          await admin().patch(subject.ref(thing), { metadata: { labels: { seen: String(writes) } } }, { fieldManager: 'kubectl-label' });
          expect(await ownFields(subject, thing)).toContain('"f:settings":{}');
        },
        { timeout: 30_000, interval: 200 },
      );
      const status = await judged(subject, thing);
      expect(status.drift ?? []).toEqual([]);
      expect((await admin().get(subject.ref(thing)))['spec']).toEqual({ settings: { a: '1', b: '2' } });
      expect(world.writesTo(thing).length).toBeLessThanOrEqual(writes + 1);
    } finally {
      await admin().delete(role);
      await admin().delete(crd);
    }
  }, 120_000);
});

describe('races and limits', () => {
  test('A25 an object edited between plan and apply ends as declared, and what others added stays', async () => {
    const object = settings('raced');
    const subject = await world.start('raced', [object]);
    let edited: Promise<unknown> | undefined;
    world.proxy.onRequest = ({ path, method, query }) => {
      if (method !== 'PATCH' || query.has('dryRun') || !path.endsWith('/configmaps/raced')) return undefined;
      edited ??= admin().patch(subject.ref(object), { data: { size: 'small', theirs: 'x' } }, { fieldManager: 'mallory' });
      return { until: edited };
    };
    try {
      await subject.declare(settings('raced', { colour: 'green', size: 'big' }));
    } finally {
      world.proxy.onRequest = undefined;
    }
    expect(edited).toBeDefined();
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'green', size: 'big', theirs: 'x' });
    const status = await untilStatus(world.namespace, 'raced', ({ extraFields }) => expect(extraFields?.total).toBe(1));
    expect(status.extraFields?.items[0]).toMatchObject({ fields: ['.data.theirs'], manager: 'mallory' });
    expect(status.sync?.status).toBe('Synced');
  }, 90_000);

  test('A29 an object that is larger than the server takes is refused with its place before anything is written', async () => {
    const subject = await world.start('large', [settings('large')]);
    await subject.commit(settings('large', { colour: 'green' }), settings('too-large', { text: 'x'.repeat(1_100_000) }));
    const status = await untilStatus(world.namespace, 'large', ({ findings }) => expect(findings?.total).toBe(1), 40_000);
    expect(status.findings?.items[0]).toMatchObject({ object: { name: 'too-large' }, file: expect.stringContaining('objects.yaml') });
    expect(status.findings?.items[0]?.message).toMatch(/too long|larger/i);
    expect((await admin().get(subject.ref(settings('large'))))['data']).toEqual({ colour: 'red', size: 'big' });
    expect((await getApplication(world.namespace, 'large')).status?.sync?.status).toBe('OutOfSync');
  }, 120_000);

  test('A30 what the dry run accepts and the apply refuses is told, and tried again until it fits', async () => {
    const subject = await world.start('quota', [settings('quota')]);
    const secrets = await admin().list('v1', 'Secret', { namespace: world.namespace });
    const quota = (hard: number) => ({
      ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few-secrets', namespace: world.namespace } },
      spec: { hard: { 'count/secrets': String(hard) } },
    });
    const ref = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: world.namespace, name: 'few-secrets' };
    await admin().apply(quota(secrets.length + 1));
    await eventually(async () => expect((await admin().get(ref))['status']?.used).toEqual({ 'count/secrets': String(secrets.length) }), {
      timeout: 30_000,
    });
    const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { key: 'value' } });
    try {
      const commit = await subject.commit(settings('quota'), secret('first'), secret('second'));
      const status = await untilStatus(world.namespace, 'quota', (current) =>
        expect(conditionOf(current, 'Ready')?.reason).toBe('AdmissionDenied'),
      );
      expect(conditionOf(status, 'Ready')?.message).toMatch(/apply Secret \S+\/(first|second): .*exceeded quota: few-secrets/);
      expect(conditionOf(status, 'Reconciling')?.status).toBe('True');
      await admin().apply(quota(secrets.length + 5));
      const after = await untilStatus(
        world.namespace,
        'quota',
        (current) => expect([current.sync?.revision, conditionOf(current, 'Ready')?.status]).toEqual([commit, 'True']),
        60_000,
      );
      expect(after.sync?.status).toBe('Synced');
    } finally {
      await admin().delete(ref);
    }
  }, 150_000);
});
