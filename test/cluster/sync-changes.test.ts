// What a sync costs: writes are counted by a proxy in front of the API server, and each must say for whom it is.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiProxy, type ProxiedRequest, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import { applyApplication, configMap, createRepo, push, startTestGitServer, tenantNamespace, untilSynced } from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory } from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let proxy: ApiProxy;
let operator: RunningOperator;
let repo: ManifestRepo;
const size = 30;

beforeAll(async () => {
  namespace = await tenantNamespace('changes');
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
  const files = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`app/${index}.yaml`, configMap(`c${index}`, { value: 'first' })]),
  );
  const created = await createRepo(git, files);
  repo = created.repo;
  await applyApplication(namespace, 'app', { source: { repoURL: created.url, path: 'app' } });
  await untilSynced(namespace, 'app', await repo.head());
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await proxy?.close();
  await git?.close();
}, 90_000);

/** Writes to objects of users: all that are not the operator's own bookkeeping. */
function userWrites(): string[] {
  return proxy
    .writes()
    .filter((request) => !isOwn(request))
    .map(({ method, path }) => `${method} ${path}`);
}

function isOwn({ path }: ProxiedRequest): boolean {
  return path.startsWith('/apis/setpoint.dev/') || /\/events(\/|$)/.test(path);
}

describe('the cost of a sync', () => {
  test('a first sync writes each object once', () => {
    expect(userWrites().filter((write) => write.includes('/configmaps/'))).toHaveLength(size);
  });

  test('a commit that changes one object of many costs one write to users objects', async () => {
    proxy.clear();
    const commit = await push(repo, 'one', { 'app/7.yaml': configMap('c7', { value: 'second' }) });
    await untilSynced(namespace, 'app', commit);
    expect(userWrites()).toEqual([`PATCH /api/v1/namespaces/${namespace}/configmaps/c7`]);
    expect((await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'c7' }))['data']).toEqual({ value: 'second' });
  }, 90_000);

  test('a commit that changes nothing of the app costs one write of the status and no other', async () => {
    proxy.clear();
    const commit = await push(repo, 'readme', { 'README.md': '# new' });
    await untilSynced(namespace, 'app', commit);
    expect(proxy.writes().map(({ method, path }) => `${method} ${path}`)).toEqual([
      `PATCH /apis/setpoint.dev/v1alpha1/namespaces/${namespace}/applications/app/status`,
    ]);
  }, 90_000);

  test('an unchanged application costs no API request while its repository is polled', async () => {
    proxy.clear();
    const polls = git.requests.length;
    await eventually(() => expect(git.requests.length).toBeGreaterThanOrEqual(polls + 3), { timeout: 20_000 });
    expect(proxy.requests.filter(({ watch }) => !watch).map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  }, 90_000);

  test('T5 every write of a users object is impersonated, and the operator itself writes only what is its own', async () => {
    proxy.clear();
    const commit = await push(repo, 'many', {
      'app/1.yaml': configMap('c1', { value: 'third' }),
      'app/2.yaml': undefined,
      'app/new.yaml': configMap('new', {}),
    });
    await untilSynced(namespace, 'app', commit);
    const requests = proxy.requests.filter(
      ({ method, path }) => method !== 'GET' && !path.startsWith('/apis/setpoint.dev/') && !/\/events/.test(path),
    );
    expect(requests.map(({ method }) => method).sort()).toEqual(['DELETE', 'PATCH', 'PATCH', 'PATCH', 'PATCH']);
    expect(new Set(requests.map(({ impersonateUser }) => impersonateUser))).toEqual(
      new Set([`system:serviceaccount:${namespace}:setpoint-applier`]),
    );
    const own = proxy.writes().filter(isOwn);
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ impersonateUser }) => impersonateUser === undefined)).toBe(true);
  }, 90_000);
});
