// Order: what an object depends on is applied and healthy first; a newer commit ends the wait.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  createRepo,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, uniqueName } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('order');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

const cdk8sYaml = 'language: typescript\napp: npx ts-node main.ts\n';

/** A database, a job-like object after it: the ConfigMap depends on the Deployment. */
function app(outcome: string, name: string): string {
  return `import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
const chart = new Chart(app, 'c');
const labels = { app: '${name}' };
const database = new ApiObject(chart, 'database', {
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: '${name}-database' },
  spec: { replicas: 1, selector: { matchLabels: labels }, template: {
    metadata: { labels, annotations: { 'dev.setpoint.dev/outcome': '${outcome}' } },
    spec: { containers: [{ name: 'db', image: 'db:1' }] } } },
});
const after = new ApiObject(chart, 'after', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '${name}-after' }, data: { a: 'b' } });
after.addDependency(database);
app.synth();
`;
}

describe('objects that depend on others', () => {
  test('are applied when these are healthy, and not before', async () => {
    const { repo, url } = await createRepo(git, { 'cdk8s.yaml': cdk8sYaml, 'main.ts': app('running', 'ordered') });
    await applyApplication(namespace, 'ordered', { source: { repoURL: url } });
    await untilSynced(namespace, 'ordered', await repo.head(), 40_000);
    const database = await admin().get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'ordered-database' });
    const after = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'ordered-after' });
    const available = (database['status'].conditions as { type: string; lastTransitionTime: string }[]).find(
      ({ type }) => type === 'Available',
    );
    expect(Date.parse(String(after.metadata['creationTimestamp']))).toBeGreaterThanOrEqual(Date.parse(available?.lastTransitionTime ?? ''));
  }, 60_000);

  test('wait, the status says for what, and a newer commit ends the wait at once', async () => {
    const { repo, url } = await createRepo(git, { 'cdk8s.yaml': cdk8sYaml, 'main.ts': app('unready', 'waiting') });
    await applyApplication(namespace, 'waiting', { source: { repoURL: url } });
    const status = await untilStatus(namespace, 'waiting', (current) => {
      expect(conditionOf(current, 'Reconciling')).toMatchObject({ status: 'True', reason: 'Progressing' });
      expect(current.health).toMatchObject({ status: 'Progressing', object: { kind: 'Deployment', name: 'waiting-database' } });
    });
    expect(status.sync).toEqual({ status: 'OutOfSync' });
    expect(await admin().tryGet({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'waiting-after' })).toBeUndefined();
    const commit = await push(repo, 'mend', { 'main.ts': app('running', 'waiting') });
    const mended = await untilSynced(namespace, 'waiting', commit, 40_000);
    expect(mended.history?.[0]).toMatchObject({ result: 'Synced', subject: 'mend' });
  }, 90_000);

  test('that never become healthy end the sync after its timeout with the object named', async () => {
    const { url } = await createRepo(git, { 'cdk8s.yaml': cdk8sYaml, 'main.ts': app('unready', 'late') });
    await applyApplication(namespace, 'late', { source: { repoURL: url }, sync: { timeout: '2s' } });
    const status = await untilStatus(namespace, 'late', (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('HealthTimeout'));
    expect(conditionOf(status, 'Ready')?.message).toMatch(
      /^wait for Deployment \S+\/late-database: not healthy after 2 s: it is Progressing/,
    );
  }, 60_000);
});

test('A13 a Namespace, a kind and an object of that kind in it may come with one commit', async () => {
  const target = uniqueName('made');
  const group = `${uniqueName('g')}.example.com`;
  const files = {
    'all.yaml': [
      { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one', namespace: target }, spec: { size: 3 } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inside', namespace: target }, data: {} },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: target } },
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
          versions: [
            {
              ...{ name: 'v1', served: true, storage: true },
              schema: {
                openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
              },
            },
          ],
        },
      },
    ]
      .map((object) => JSON.stringify(object))
      .join('\n---\n'),
  };
  const user = `system:serviceaccount:${namespace}:setpoint-applier`;
  await admin().apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${target}-applier` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  });
  const { repo, url } = await createRepo(git, files);
  await applyApplication(namespace, 'everything', { source: { repoURL: url } });
  try {
    await untilSynced(namespace, 'everything', await repo.head(), 40_000);
    const widget = { apiVersion: `${group}/v1`, kind: 'Widget', namespace: target, name: 'one' };
    expect((await admin().get(widget))['spec']).toEqual({ size: 3 });
    await admin().patch(widget, { spec: { size: 4 } });
    await eventually(async () => expect((await admin().get(widget))['spec']).toEqual({ size: 3 }));
  } finally {
    await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name: target });
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `widgets.${group}` });
    await admin().delete({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: `${target}-applier` });
  }
}, 90_000);
