// Restarts and crashes: nothing is written again, nothing is forgotten, what happened meanwhile is seen.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import {
  applyApplication,
  configMap,
  createRepo,
  getApplication,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory, uniqueName } from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

let git: GitServer;
let proxy: ApiProxy;
let kubeconfig: string;
let namespace: string;
let operator: RunningOperator | undefined;

beforeAll(async () => {
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
}, 60_000);

afterAll(async () => {
  await proxy?.close();
  await git?.close();
}, 90_000);

beforeEach(async () => {
  namespace = await tenantNamespace('restart');
});

afterEach(async () => {
  proxy.onRequest = undefined;
  await operator?.kill();
});

async function start(): Promise<RunningOperator> {
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
  return operator;
}

async function createApp(count: number): Promise<ManifestRepo> {
  const files = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`app/${index}.yaml`, configMap(`c${index}`, { value: '1' })]),
  );
  const { repo, url } = await createRepo(git, files);
  await applyApplication(namespace, 'app', { source: { repoURL: url, path: 'app' } });
  return repo;
}

function writes(): string[] {
  return proxy.writes().map(({ method, path }) => `${method} ${path}`);
}

describe('after a restart', () => {
  test('of an unchanged application nothing is written, and it is looked at', async () => {
    const first = await start();
    const repo = await createApp(5);
    await untilSynced(namespace, 'app', await repo.head());
    const before = await getApplication(namespace, 'app');
    expect(await first.stop()).toBe(0);
    proxy.clear();
    const second = await start();
    await eventually(() => expect(second.logs().some((line) => line['event'] === 'reconciled')).toBe(true), { timeout: 20_000 });
    expect(writes()).toEqual([]);
    expect((await getApplication(namespace, 'app')).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  }, 60_000);

  test('drift and a commit of the time between are seen', async () => {
    const first = await start();
    const repo = await createApp(3);
    await untilSynced(namespace, 'app', await repo.head());
    await first.stop();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'c0' };
    await admin().patch(object, { data: { value: 'drifted' } }, { fieldManager: 'mallory' });
    await admin().delete({ ...object, name: 'c1' });
    const commit = await push(repo, 'drop', { 'app/2.yaml': undefined, 'app/3.yaml': configMap('c3', {}) });
    await start();
    const status = await untilSynced(namespace, 'app', commit);
    expect((await admin().get(object))['data']).toEqual({ value: '1' });
    expect(await admin().tryGet({ ...object, name: 'c1' })).toBeDefined();
    expect(await admin().tryGet({ ...object, name: 'c2' })).toBeUndefined();
    expect(status.drift?.map(({ object: { name }, kind, manager }) => `${name} ${kind} ${manager}`).sort()).toEqual([
      'c0 changed mallory',
      'c1 deleted unknown',
    ]);
  }, 60_000);
});

describe('A15 after a crash', () => {
  // Each number is the write, counted from the first of the sync, at which the operator ends; crash-sweep.test.ts has all of them.
  test.each([
    [1, 'after'],
    [3, 'before'],
    [4, 'after'],
  ] as const)(
    'at write %i, %s the server did it, and a commit meanwhile, the next operator ends the sync and leaves no orphan',
    async (at, when) => {
      let seen = -1;
      const crashing = await start();
      proxy.onRequest = (request) => {
        if (request.method === 'GET' || request.query.has('dryRun') || request.path.endsWith('/status') || request.path.includes('/events'))
          return undefined;
        seen += 1;
        if (seen < at) return undefined;
        if (seen === at) void crashing.kill();
        return { reset: seen === at && when === 'after' ? 'after' : 'before' };
      };
      const repo = await createApp(3);
      await eventually(() => expect(seen).toBeGreaterThanOrEqual(at), { timeout: 20_000 });
      await crashing.kill();
      proxy.onRequest = undefined;
      const commit = await push(repo, 'another', { 'app/0.yaml': undefined, 'app/9.yaml': configMap('c9', { value: '9' }) });
      await start();
      await untilSynced(namespace, 'app', commit);
      const names = (await admin().list('v1', 'ConfigMap', { namespace }))
        .map(({ metadata }) => metadata.name)
        .filter((name) => /^c\d$/.test(name));
      expect(names.sort()).toEqual(['c1', 'c2', 'c9']);
      await untilStatus(namespace, 'app', ({ resources }) => expect(resources?.total).toBe(3));
    },
    60_000,
  );
});

describe('A15 after a crash in the middle of a sync, and a commit before the restart', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c0' };

  /** Kills the operator when the server has done what it asked of `c0`, before it learns of it. */
  async function killAfterWriteOf(path: RegExp, begin: () => Promise<unknown>): Promise<void> {
    const done = Promise.withResolvers<void>();
    let held = false;
    proxy.onRequest = (request) => {
      if (request.method === 'GET' || request.query.has('dryRun') || !path.test(request.path)) return undefined;
      held = true;
      return { answerUntil: done.promise };
    };
    await begin();
    await eventually(() =>
      expect(held && proxy.requests.some((one) => path.test(one.path) && one.method === 'PATCH' && one.status)).toBe(true),
    );
    await operator?.kill();
    proxy.onRequest = undefined;
    done.resolve();
  }

  test("its own half-done update, taken back in Git, is told as nobody's drift", async () => {
    await start();
    const repo = await createApp(2);
    await untilSynced(namespace, 'app', await repo.head());
    proxy.clear();
    await killAfterWriteOf(/configmaps\/c0$/, () => push(repo, 'change', { 'app/0.yaml': configMap('c0', { value: '2' }) }));
    expect((await admin().get({ ...object, namespace }))['data']).toEqual({ value: '2' });
    const commit = await push(repo, 'take back', { 'app/0.yaml': configMap('c0', { value: '1' }) });
    await start();
    const status = await untilSynced(namespace, 'app', commit);
    expect((await admin().get({ ...object, namespace }))['data']).toEqual({ value: '1' });
    expect(status.drift ?? []).toEqual([]);
  }, 60_000);

  test('an object that it was making anew, dropped from Git, is pruned and left to nobody', async () => {
    await start();
    const repo = await createApp(2);
    await untilSynced(namespace, 'app', await repo.head());
    const { uid } = (await admin().get({ ...object, namespace })).metadata;
    proxy.clear();
    await killAfterWriteOf(/configmaps\/c0$/, () => admin().delete({ ...object, namespace }));
    expect((await admin().get({ ...object, namespace })).metadata.uid).not.toBe(uid);
    const commit = await push(repo, 'drop', { 'app/0.yaml': undefined });
    await start();
    await untilSynced(namespace, 'app', commit);
    expect(await admin().tryGet({ ...object, namespace })).toBeUndefined();
  }, 60_000);
});

test('L7 an operator that is told to stop ends while it waits for health, and soon', async () => {
  const running = await start();
  const labels = { app: 'slow' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: uniqueName('slow') },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { 'dev.setpoint.dev/outcome': 'unready' } },
        spec: { containers: [{ name: 'a', image: 'a:1' }] },
      },
    },
  };
  const main = `import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
const chart = new Chart(app, 'c');
const first = new ApiObject(chart, 'a', ${JSON.stringify(deployment)});
new ApiObject(chart, 'b', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later' } }).addDependency(first);
app.synth();`;
  const { url } = await createRepo(git, { 'cdk8s.yaml': 'app: npx ts-node main.ts\n', 'main.ts': main });
  await applyApplication(namespace, 'slow', { source: { repoURL: url } });
  await untilStatus(namespace, 'slow', ({ health }) => expect(health?.status).toBe('Progressing'));
  const asked = performance.now();
  expect(await running.stop()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect(running.logs().at(-1)?.msg).toBe('operator stopped');
}, 60_000);
