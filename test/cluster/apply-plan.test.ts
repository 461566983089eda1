// Plans carried out on a real API server: order, what a refusal stops, waiting for health, pruning, and the dry run before.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import { type ApplyPlanRequest, type ApplyResult, applyPlan } from '../../operator/apply/apply-plan.ts';
import { deferredKeys, dryRunManifests } from '../../operator/apply/dry-run.ts';
import { createObserver } from '../../operator/cluster/observer.ts';
import { assessHealth } from '../../operator/health/assess-health.ts';
import type { Clock } from '../../operator/model/clock.ts';
import { formatFinding } from '../../operator/model/finding.ts';
import type { TenantIdentity } from '../../operator/model/identity.ts';
import { digestOf, type KubeObject, type Manifest } from '../../operator/model/manifest.ts';
import { keyOf, type ObjectRef } from '../../operator/model/object-ref.ts';
import { type Plan, type PlanStep, type PruneChange, planDigest, type WriteChange } from '../../operator/model/plan.ts';
import { isOlderVersion } from '../../operator/model/resource-version.ts';
import type { ObjectObserver } from '../../operator/reconcile/ports.ts';
import { admin, eventually, testNamespace, uniqueName } from '../support/cluster.ts';
import { type Connected, configMap, connectThroughProxy, never, tenantWith } from './connected.ts';

const clock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};
const label = { 'setpoint.dev/application': 'test' };
const stop = new AbortController();
let namespace: string;
let identity: TenantIdentity;
let connected: Connected & { readonly proxy: ApiProxy };
let observer: ObjectObserver;

beforeAll(async () => {
  connected = await connectThroughProxy();
  observer = createObserver({ client: connected.client, discovery: connected.discovery, emit: () => undefined, signal: stop.signal });
  await observer.watchKinds([
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'v1', kind: 'ConfigMap' },
  ]);
}, 60_000);

beforeEach(async () => {
  namespace = await testNamespace('apply');
  identity = await tenantWith(namespace);
  connected.proxy.onRequest = undefined;
  connected.proxy.clear();
});

afterAll(() => stop.abort());

function manifest(object: object, line = 1): Manifest {
  const desired = { ...object, metadata: { ...(object as KubeObject).metadata, labels: label } } as unknown as KubeObject;
  const { name, namespace: place = '' } = desired.metadata;
  const ref = { apiVersion: desired.apiVersion, kind: desired.kind, namespace: place, name };
  const origin = { constructPath: `app/${name}`, frames: [{ file: 'main.ts', line, column: 3 }] };
  return { ref, key: keyOf(ref), object: desired, digest: digestOf(desired), origin, dependsOn: [] };
}

function write(object: object): WriteChange {
  const desired = manifest(object);
  return { action: 'create', ref: desired.ref, key: desired.key, reason: 'test', manifest: desired, uid: '' };
}

function prune(ref: ObjectRef, uid: string): PruneChange {
  return { action: 'prune', ref, key: keyOf(ref), reason: 'test', uid };
}

function step(changes: PlanStep['changes'], waitFor: readonly WriteChange[] = []): PlanStep {
  return { changes, waitHealthy: waitFor.map(({ key }) => key) };
}

function planOf(...steps: PlanStep[]): Plan {
  return { steps, changes: steps.flatMap(({ changes }) => changes), digest: planDigest(steps) };
}

function run(plan: Plan, options: Partial<ApplyPlanRequest> = {}, signal = never): Promise<ApplyResult> {
  return applyPlan(
    {
      plan,
      writer: connected.writer,
      identity,
      isHealthy(key, written) {
        const observed = observer.get(key);
        const status = observer.status(key);
        if (observed === undefined || status === undefined) return undefined;
        if (written !== undefined && isOlderVersion(observed.resourceVersion, written.resourceVersion)) return undefined;
        return assessHealth(status);
      },
      waitForChange: (aborted) => sleep(20, undefined, { signal: aborted }).catch(() => undefined),
      timeoutMilliseconds: 15_000,
      clock,
      ...options,
    },
    signal,
  );
}

function deployment(name: string, image = 'nginx:1') {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

const refOf = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
const invalid = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port: 0 }] } });
const written = ({ written: all }: ApplyResult) => all.map(({ change }) => change.ref.name).sort();
/** Names of objects in the order in which their writes arrived. */
const writes = () => connected.proxy.writes().map(({ path }) => path.split('/').at(-1));

describe('order', () => {
  test('a step begins after the step before; each object tells its baseline as it is written', async () => {
    const told: string[] = [];
    const plan = planOf(
      step([write(configMap(namespace, 'a')), write(configMap(namespace, 'b'))]),
      step([write(configMap(namespace, 'c'))]),
    );
    const result = await run(plan, {
      onWritten: ({ change, baseline, live }) =>
        void told.push(`${change.ref.name} ${baseline.uid === (live as KubeObject).metadata['uid']}`),
    });
    expect(result).toMatchObject({ pruned: [], failures: [] });
    expect(result.stopped).toBeUndefined();
    expect(told.sort()).toEqual(['a true', 'b true', 'c true']);
    expect(writes().at(-1)).toBe('c');
    expect(result.written[0]?.baseline).toMatchObject({
      resourceVersion: expect.stringMatching(/^\d+$/),
      fieldsHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      time: expect.any(String),
    });
  });

  test('a wave waits until the objects of the one before are healthy', async () => {
    const web = write(deployment('web'));
    const result = await run(planOf(step([web], [web]), step([write(configMap(namespace, 'after'))])));
    expect(result.failures).toEqual([]);
    expect(written(result)).toEqual(['after', 'web']);
    const ready = connected.proxy.requests.find(({ path, method }) => method === 'PATCH' && path.endsWith('/after'));
    expect(ready).toBeDefined();
    expect(observer.status(web.key)).toMatchObject({ status: { readyReplicas: 1 } });
  });

  test('an object that does not become healthy in time stops the plan and is named with its state', async () => {
    const web = write(deployment('stuck', 'nginx:does-not-exist'));
    const result = await run(planOf(step([web], [web]), step([write(configMap(namespace, 'after'))])), { timeoutMilliseconds: 1_500 });
    expect(result.stopped).toBe('unhealthy');
    expect(written(result)).toEqual(['stuck']);
    expect(result.failures[0]?.error).toMatchObject({
      code: 'HealthTimeout',
      message: expect.stringMatching(/^wait for Deployment \S+\/stuck: not healthy after 2 s: it is Progressing: /),
    });
  });
});

describe('refusals', () => {
  test('A7 A14 a refused object does not keep the others of its step from being written, but nothing later happens', async () => {
    const kept = (await admin().create(configMap(namespace, 'kept'))).metadata.uid as string;
    const plan = planOf(
      step([write(invalid('bad')), write(configMap(namespace, 'good'))]),
      step([write(configMap(namespace, 'later'))]),
      step([prune(refOf('kept'), kept)]),
    );
    const result = await run(plan);
    expect(result.stopped).toBe('failure');
    expect(written(result)).toEqual(['good']);
    expect(result.failures.map(({ ref, error }) => `${ref.name} ${error.code}`)).toEqual(['bad ApplyRefused']);
    expect(result.pruned).toEqual([]);
    expect(await admin().tryGet(refOf('kept'))).toBeDefined();
    expect(await admin().tryGet(refOf('later'))).toBeUndefined();
  });

  test('a server that went away is not asked for every object of a step', async () => {
    connected.proxy.onRequest = ({ path }) =>
      path.includes(`/${namespace}/configmaps`)
        ? { respond: { status: 500, body: { kind: 'Status', code: 500, message: 'etcdserver: no leader' } } }
        : undefined;
    const result = await run(planOf(step(Array.from({ length: 40 }, (_, index) => write(configMap(namespace, `n${index}`))))), {
      concurrency: 2,
    });
    expect(result.stopped).toBe('failure');
    expect(result.failures.length).toBeGreaterThanOrEqual(3);
    expect(result.failures.length).toBeLessThan(6);
  });

  test('an abort stops between requests and still tells what was written', async () => {
    const abort = new AbortController();
    const changes = Array.from({ length: 20 }, (_, index) => write(configMap(namespace, `n${index}`)));
    const result = await run(planOf(step(changes)), { concurrency: 1, onWritten: () => abort.abort() }, abort.signal);
    expect(result).toMatchObject({ stopped: 'aborted', failures: [] });
    expect(result.written).toHaveLength(1);
    expect(await admin().list('v1', 'ConfigMap', { namespace, labelSelector: 'setpoint.dev/application' })).toHaveLength(1);
  });

  test('A3 a first claim names the version it was decided on and is refused when the object changed since', async () => {
    const { metadata } = await admin().create(configMap(namespace, 'claimed'));
    await admin().patch(refOf('claimed'), { data: { other: 'x' } });
    const result = await run(planOf(step([write(configMap(namespace, 'claimed'))])), {
      claim: () => ({ resourceVersion: metadata.resourceVersion ?? '', managedFields: [] }),
    });
    expect(result.failures[0]?.error).toMatchObject({ code: 'ApplyConflict', fate: 'transient' });
  });
});

describe('prune', () => {
  test('an object is pruned by UID; one made anew under its name stays and counts as pruned', async () => {
    const gone = (await admin().create(configMap(namespace, 'gone'))).metadata.uid as string;
    const remade = (await admin().create(configMap(namespace, 'remade'))).metadata.uid as string;
    await admin().delete(refOf('remade'));
    await admin().create(configMap(namespace, 'remade'));
    const absent = '4f2c5a3e-0000-4000-8000-000000000000';
    const result = await run(planOf(step([prune(refOf('gone'), gone), prune(refOf('remade'), remade), prune(refOf('absent'), absent)])));
    expect(result.failures).toEqual([]);
    expect(result.pruned).toHaveLength(3);
    expect(await admin().tryGet(refOf('gone'))).toBeUndefined();
    expect(await admin().tryGet(refOf('remade'))).toBeDefined();
  });

  test('A23 an object held by a finalizer is told with the finalizer, which stays', async () => {
    const held = { ...configMap(namespace, 'held'), metadata: { name: 'held', namespace, finalizers: ['example.com/hold'] } };
    const uid = (await admin().create(held)).metadata.uid as string;
    let monotonic = 0;
    // Patience is measured by the clock that is passed in: each look at it is five seconds later.
    const impatient: Clock = { ...clock, monotonic: () => (monotonic += 5_000) };
    const result = await run(planOf(step([prune(refOf('held'), uid)])), { clock: impatient });
    expect(result.pruned).toEqual([]);
    expect(result.failures[0]?.error).toMatchObject({
      code: 'PruneBlocked',
      message: `delete ConfigMap ${namespace}/held: held by finalizer example.com/hold`,
    });
    expect((await admin().get(refOf('held'))).metadata.finalizers).toEqual(['example.com/hold']);
    await admin().patch(refOf('held'), { metadata: { finalizers: null } });
  });

  test('a finalizer that is done soon holds up nothing', async () => {
    const held = { ...configMap(namespace, 'soon'), metadata: { name: 'soon', namespace, finalizers: ['example.com/hold'] } };
    const uid = (await admin().create(held)).metadata.uid as string;
    const running = run(planOf(step([prune(refOf('soon'), uid)])));
    await eventually(async () => expect((await admin().get(refOf('soon'))).metadata.deletionTimestamp).toBeDefined());
    await admin().patch(refOf('soon'), { metadata: { finalizers: null } });
    expect(await running).toMatchObject({ pruned: [keyOf(refOf('soon'))], failures: [] });
  });

  test('P12 a prune without permission is blocked and says what to grant', async () => {
    const uid = (await admin().create(configMap(namespace, 'mine'))).metadata.uid as string;
    const reader = await tenantWith(namespace, 'view', 'reader');
    const result = await run(planOf(step([prune(refOf('mine'), uid)])), { identity: reader });
    expect(result.failures[0]?.error).toMatchObject({
      code: 'PruneBlocked',
      message: expect.stringContaining('may not delete configmaps'),
      hint: expect.stringContaining('verbs: ["get", "create", "patch", "delete"]'),
    });
  });
});

describe('dry run', () => {
  const dryRun = (manifests: readonly Manifest[], deferred = new Set<string>()) =>
    dryRunManifests({ manifests, writer: connected.writer, identity, deferred }, never);

  test('everything the server would refuse is found at once, each with its place in the source, and nothing is written', async () => {
    const other = await testNamespace('foreign');
    const { findings } = await dryRun([
      manifest(invalid('bad'), 4),
      manifest(configMap(namespace, 'good')),
      manifest(configMap(other, 'elsewhere'), 9),
    ]);
    expect(findings.map((finding) => `${finding.code} ${formatFinding(finding)}`)).toEqual([
      expect.stringMatching(
        /^NoPermission main\.ts:9:3: ConfigMap \S+\/elsewhere: ServiceAccount \S+ may not patch configmaps in namespace \S+; grant it/,
      ),
      expect.stringMatching(/^ServerRefused main\.ts:4:3: Service \S+\/bad: spec\.ports\[0\]\.port: Invalid value: 0/),
    ]);
    expect(connected.proxy.writes()).toEqual([]);
  });

  test('a server that does not answer is an error, not a finding', async () => {
    connected.proxy.onRequest = ({ path }) =>
      path.includes('/configmaps')
        ? { respond: { status: 500, body: { kind: 'Status', code: 500, message: 'etcdserver: no leader' } } }
        : undefined;
    await expect(dryRun([manifest(configMap(namespace, 'a'))])).rejects.toMatchObject({ code: 'ApiUnreachable', fate: 'transient' });
  });

  test('V4 objects whose kind comes with the plan are dry-run in their turn, before the first of their step is written', async () => {
    const cluster = await tenantWith(namespace, 'cluster-admin', 'cluster-tenant');
    await admin().apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: uniqueName('cluster-tenant') },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'cluster-tenant', namespace }],
    });
    const group = `${uniqueName('g')}.example.com`;
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer', minimum: 1 } } } } };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
    const thing = (name: string, size: number) => ({
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { name, namespace },
      spec: { size },
    });
    await observer.watchKinds([{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }]);
    const changes = [write(crd), write(thing('good', 1)), write(thing('bad', 0))];
    const deferred = deferredKeys(
      changes.map((change) => change.manifest),
      () => false,
    );
    expect([...deferred].map((key) => key.split('|').at(-1))).toEqual(['good', 'bad']);
    const [first] = changes;
    try {
      const result = await run(planOf(step([first as WriteChange], [first as WriteChange]), step(changes.slice(1))), {
        deferred,
        identity: cluster,
      });
      expect(result.stopped).toBe('failure');
      expect(result.failures.map(({ ref, error }) => `${ref.name} ${error.message}`)).toEqual([
        expect.stringMatching(/^bad apply main\.ts:1:3: Thing \S+\/bad: spec\.size: /),
      ]);
      expect(written(result)).toEqual([`things.${group}`]);
      expect(await admin().list(`${group}/v1`, 'Thing', { namespace })).toEqual([]);
    } finally {
      await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` });
    }
  });

  test('objects of a namespace that comes with the plan are deferred, those of one that exists are not', () => {
    const manifests = [
      manifest({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } }),
      manifest(configMap('new', 'a')),
      manifest(configMap('old', 'b')),
    ];
    expect([...deferredKeys(manifests, () => false)]).toEqual(['|ConfigMap|new|a']);
    expect([...deferredKeys(manifests, () => true)]).toEqual([]);
  });
});
