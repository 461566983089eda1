// Objects that exist already: taken over visibly, with the ownership of the tool that made them, so that what leaves Git later really goes.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, type KubernetesObject, kubectl } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

/** Machines are slow at times. */
const patience = 60_000;
let namespace: string;
let operator: RunningOperator;
let git: GitServer;

beforeAll(async () => {
  namespace = await tenantNamespace('adopt');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 60_000);

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function deployment(name: string, env: Readonly<Record<string, string>>): KubernetesObject {
  const labels = { app: name };
  const container = { name: 'web', image: 'nginx:1', env: Object.entries(env).map(([key, value]) => ({ name: key, value })) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
  };
}

async function live(name: string, kind = 'Deployment'): Promise<KubernetesObject> {
  return admin().get({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, namespace, name });
}

async function envOf(name: string): Promise<readonly string[]> {
  const container = (await live(name))['spec'].template.spec.containers[0] as { env?: { name: string }[] };
  return (container.env ?? []).map((variable) => variable.name);
}

const managers = ({ metadata }: KubernetesObject) =>
  (metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === undefined)
    .map(({ manager, operation }) => `${manager} ${operation}`);

/** What a status says was adopted: `web from helm`. */
function adoptedIn(status: ApplicationStatus): readonly string[] {
  return (status.adopted?.items ?? []).map(({ object, managers: from }) => `${object.name} from ${from.join(', ')}`);
}

async function adopt(
  name: string,
  declared: object,
): Promise<Awaited<ReturnType<typeof createRepo>> & { readonly status: ApplicationStatus }> {
  const made = await createRepo(git, { 'a.json': JSON.stringify(declared) });
  await applyApplication(namespace, name, { source: { repoURL: made.url } });
  const commit = await made.repo.head();
  const status = await untilStatus(namespace, name, (current) => expect(current.sync?.revision).toBe(commit), patience);
  return { ...made, status };
}

describe('an object that exists before its first sync', () => {
  test('made by kubectl apply: is adopted with what kubectl held, so that a variable deleted from Git later goes', async () => {
    await kubectl(['apply', '-f', '-'], { input: JSON.stringify(deployment('client-side', { A: '1', B: '2', C: '3' })) });
    await kubectl(['set', 'env', 'deployment/client-side', '-n', namespace, 'D=4']);
    const before = await live('client-side');
    expect(managers(before)).toContain('kubectl-client-side-apply Update');
    expect(before.metadata.annotations?.[lastApplied]).toBeDefined();
    const { repo, status } = await adopt('client-side', deployment('client-side', { A: '1', B: '2' }));
    expect(adoptedIn(status)).toEqual(['client-side from kubectl-client-side-apply, kubectl-set']);
    expect(status.adopted).toMatchObject({ total: 1, revision: await repo.head() });
    const history = status.history?.[0];
    expect(history?.adopted).toBe(
      `1 object that existed already: Deployment ${namespace}/client-side; taken over from kubectl-client-side-apply, kubectl-set`,
    );
    const adopted = await live('client-side');
    expect(adopted.metadata.uid).toBe(before.metadata.uid);
    // C was kubectl's and is not in Git; D is somebody's of whom nothing is known but that he wanted it.
    expect(await envOf('client-side')).toEqual(['A', 'B', 'D']);
    expect(adopted.metadata.annotations?.[lastApplied]).toBeUndefined();
    expect(managers(adopted)).toContain('setpoint Apply');
    expect(managers(adopted)).not.toContain('kubectl-client-side-apply Update');
    await push(repo, 'drop B', { 'a.json': JSON.stringify(deployment('client-side', { A: '1' })) });
    await eventually(async () => expect(await envOf('client-side')).toEqual(['A', 'D']), { timeout: patience });
    await eventually(
      async () => {
        const events = await admin().list('events.k8s.io/v1', 'Event', { namespace });
        const notes = events.filter(({ reason }) => reason === 'Adopted').map((event) => String(event['note']));
        expect(notes).toContainEqual(expect.stringContaining(`adopted 1 object that existed already: Deployment ${namespace}/client-side`));
      },
      { timeout: patience },
    );
  }, 300_000);

  test.each(['helm', 'kubectl-create', 'argocd-controller'])(
    'made by %s: likewise',
    async (manager) => {
      await admin().create(deployment(`by-${manager}`, { A: '1', B: '2' }), { fieldManager: manager });
      const { repo, status } = await adopt(`by-${manager}`, deployment(`by-${manager}`, { A: '1', B: '2' }));
      expect(adoptedIn(status)).toEqual([`by-${manager} from ${manager}`]);
      await push(repo, 'drop B', { 'a.json': JSON.stringify(deployment(`by-${manager}`, { A: '1' })) });
      await eventually(async () => expect(await envOf(`by-${manager}`)).toEqual(['A']), { timeout: patience });
    },
    200_000,
  );

  test('applied server-side by kustomize-controller: likewise', async () => {
    await admin().apply(deployment('kustomized', { A: '1', B: '2' }), { fieldManager: 'kustomize-controller' });
    const { repo, status } = await adopt('kustomized', deployment('kustomized', { A: '1', B: '2' }));
    expect(adoptedIn(status)).toEqual(['kustomized from kustomize-controller']);
    await push(repo, 'drop B', { 'a.json': JSON.stringify(deployment('kustomized', { A: '1' })) });
    await eventually(async () => expect(await envOf('kustomized')).toEqual(['A']), { timeout: patience });
  }, 200_000);

  test('made by somebody else: is adopted, and what they own of it stays', async () => {
    await admin().create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'before' }, data: { theirs: 'x', ours: 'old' } },
      { fieldManager: 'somebody' },
    );
    const { uid } = (await live('before', 'ConfigMap')).metadata;
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('before', { ours: 'new' }), 'b.yaml': configMap('fresh', {}) });
    await applyApplication(namespace, 'adopter', { source: { repoURL: url } });
    const status = await untilSynced(namespace, 'adopter', await repo.head(), patience);
    expect(adoptedIn(status)).toEqual(['before from somebody']);
    expect(status.history?.[0]?.counts).toMatchObject({ create: 1, update: 1 });
    const adopted = await live('before', 'ConfigMap');
    expect(adopted.metadata.uid).toBe(uid);
    expect(adopted['data']).toEqual({ theirs: 'x', ours: 'new' });
  }, 200_000);

  test('left behind by an Application that is gone: may be adopted by another', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('orphaned', { n: '1' }) });
    await applyApplication(namespace, 'leaver', { source: { repoURL: url }, deletionPolicy: 'Orphan' });
    await untilSynced(namespace, 'leaver', await repo.head(), patience);
    const { uid } = (await live('orphaned', 'ConfigMap')).metadata;
    const application = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'leaver' };
    await admin().delete(application);
    await eventually(async () => expect(await admin().tryGet(application)).toBeUndefined(), { timeout: patience });
    await applyApplication(namespace, 'heir', { source: { repoURL: url } });
    const status = await untilSynced(namespace, 'heir', await repo.head(), patience);
    expect(adoptedIn(status)).toEqual(['orphaned from ']);
    const adopted = await live('orphaned', 'ConfigMap');
    expect(adopted.metadata).toMatchObject({ uid, annotations: { 'setpoint.dev/application': `${namespace}/heir` } });
  }, 200_000);
});
