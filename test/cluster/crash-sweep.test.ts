// SIGKILL at every request that changes something: several Applications are stopped at one request each, then the operator that serves them
// all is killed and started again. What must be true afterwards is the same for each of them.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { trackingAnnotation, trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  configMap,
  createRepo,
  getApplication,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, type KubernetesObject, kubeconfigPath, scratchDirectory } from '../support/cluster.ts';
import { holdRequests, type Side } from '../support/holding-proxy.ts';
import { brokenInvariants, type PushedCommit } from '../support/invariants.ts';
import { labelledObjects, storedInventory } from '../support/inventory.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

/** Part of the life of an Application, and every request that changes something in it. */
interface Phase {
  readonly name: string;
  readonly requests: readonly string[];
}

const firstSync: Phase = {
  name: 'the first sync',
  requests: [
    ...['PATCH applications/shop', 'POST inventories', 'PATCH configmaps/settings', 'PATCH configmaps/kept', 'PATCH services/web'],
    ...['PATCH deployments/web', 'PATCH applications/shop/status', 'PATCH configmaps/after', 'PUT inventories/shop-0'],
    'PATCH applications/shop/status 2',
  ],
};
const commit: Phase = {
  name: 'a commit that creates, updates and prunes',
  requests: [
    ...['PUT inventories/shop-0', 'PATCH configmaps/extra', 'PATCH configmaps/settings', 'DELETE services/web'],
    ...['PUT inventories/shop-0 2', 'PATCH applications/shop/status'],
  ],
};
const heal: Phase = {
  name: 'a heal of a changed and a deleted object',
  requests: [
    ...['PATCH configmaps/settings', 'PATCH configmaps/extra', 'PUT inventories/shop-0', 'PUT inventories/shop-0 2'],
    'PATCH applications/shop/status',
  ],
};
const deletion: Phase = {
  name: 'the deletion of the Application',
  requests: [
    ...['DELETE deployments/web', 'DELETE configmaps/after', 'DELETE configmaps/settings', 'DELETE configmaps/extra'],
    ...['PUT inventories/shop-0', 'PATCH applications/shop'],
  ],
};
const worlds = Math.max(...[firstSync, commit, heal, deletion].map(({ requests }) => requests.length));
const applicationRef = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', name: 'shop' };
const kinds = [
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
  ['apps/v1', 'Deployment'],
] as const;

let git: GitServer;
let proxy: ApiProxy;
let kubeconfig: string;
let operator: RunningOperator | undefined;

beforeAll(async () => {
  git = await startTestGitServer();
  proxy = await startApiProxy({
    kubeconfigPath: kubeconfigPath(),
    keepsAnswer: ({ method, watch, path }) => !watch && (method !== 'GET' || path.endsWith('/inventories')),
  });
  kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
}, 60_000);

afterAll(async () => {
  await operator?.kill();
  await proxy?.close();
  await git?.close();
}, 90_000);

/** The app: `settings` before the Deployment `web` before `after`; `kept` may not be pruned. */
function app(version: 1 | 2): string {
  const changing =
    version === 1
      ? `object('v1', 'Service', 'web', { spec: { ports: [{ port: 80 }], selector: labels } });
object('v1', 'ConfigMap', 'kept', { data: {} }, { 'setpoint.dev/prune': 'disabled' });`
      : `object('v1', 'ConfigMap', 'extra', { data: {} });`;
  return `import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
const chart = new Chart(app, 'c');
const labels = { app: 'web' };
function object(apiVersion: string, kind: string, name: string, content: object, annotations?: Record<string, string>) {
  return new ApiObject(chart, kind + name, { apiVersion, kind, metadata: { name, annotations }, ...content });
}
const settings = object('v1', 'ConfigMap', 'settings', { data: { version: '${version}' } });
const web = object('apps/v1', 'Deployment', 'web', { spec: { selector: { matchLabels: labels }, template: {
  metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } } });
const after = object('v1', 'ConfigMap', 'after', { data: {} });
web.addDependency(settings);
after.addDependency(web);
${changing}
app.synth();
`;
}

/** What Git declares of the Application `shop`, version by version. */
const declared = {
  1: ['ConfigMap/after', 'ConfigMap/kept', 'ConfigMap/settings', 'Deployment/web', 'Service/web'],
  2: ['ConfigMap/after', 'ConfigMap/extra', 'ConfigMap/settings', 'Deployment/web'],
} as const;

interface World {
  readonly namespace: string;
  /** UIDs of what is nobody's to touch. */
  readonly bystanders: Readonly<Record<string, string | undefined>>;
}

interface Sweep {
  readonly side: Side;
  readonly worlds: readonly World[];
  readonly commits: PushedCommit[];
  readonly theirs: PushedCommit;
  deletedAt: number | undefined;
}

/** Namespaces, each with an Application `other` that is synced, and an object that somebody gave the label of `shop`. */
async function createWorlds(otherUrl: string): Promise<readonly World[]> {
  const namespaces = await Promise.all(Array.from({ length: worlds }, () => tenantNamespace('sweep')));
  operator = await startOperator({ namespaces, kubeconfig });
  return Promise.all(
    namespaces.map(async (namespace) => {
      await applyApplication(namespace, 'other', { source: { repoURL: otherUrl } });
      const mark = { [trackingLabel]: trackingLabelValue({ namespace, name: 'shop' }) };
      const annotations = { [trackingAnnotation]: `${namespace}/shop` };
      const metadata = { name: 'copied', namespace, labels: mark, annotations };
      const copied = await admin().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
      await untilStatus(namespace, 'other', ({ sync }) => expect(sync?.status).toBe('Synced'), 60_000);
      const theirs = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'theirs' });
      return { namespace, bystanders: { copied: copied.metadata.uid, theirs: theirs.metadata.uid } };
    }),
  );
}

function pushedAs(sha: string, version: 1 | 2): PushedCommit {
  return { sha, at: Date.now(), declares: declared[version].map((name) => name.replace('Deployment', 'Deployment.apps')) };
}

/** Stops each world at another request of a phase, kills the operator there and starts the next. */
async function crashDuring(sweep: Sweep, phase: Phase, begin: () => Promise<unknown>): Promise<ReadonlyMap<string, KubernetesObject>> {
  const wanted = new Map(sweep.worlds.map(({ namespace }, index) => [namespace, phase.requests[index % phase.requests.length] ?? '']));
  const holding = holdRequests(proxy, wanted, sweep.side);
  await begin();
  await holding.reached();
  await operator?.kill();
  holding.drop();
  const withoutCount = (name: string): string => name.replace(/ \d+$/, '');
  const known = new Set(phase.requests.map(withoutCount));
  expect([...holding.names.values()].flat().filter((name) => !known.has(withoutCount(name)))).toEqual([]);
  const left = await liveObjects(sweep);
  operator = await startOperator({ namespaces: sweep.worlds.map(({ namespace }) => namespace), kubeconfig });
  return left;
}

async function liveObjects(sweep: Sweep): Promise<ReadonlyMap<string, KubernetesObject>> {
  const lists = await Promise.all(
    sweep.worlds.flatMap(({ namespace }) => kinds.map(([apiVersion, kind]) => admin().list(apiVersion, kind, { namespace }))),
  );
  return new Map(lists.flat().map((object) => [`${object.metadata.namespace} ${object.kind}/${object.metadata.name}`, object]));
}

/** The operator that runs now has looked at `shop` in every world. */
async function untilLookedAt(sweep: Sweep): Promise<void> {
  await eventually(
    () => {
      const looked = new Set(operator?.logs().flatMap((line) => (line['event'] === 'reconciled' ? [String(line['application'])] : [])));
      expect(sweep.worlds.map(({ namespace }) => `${namespace}/shop`).filter((key) => !looked.has(key))).toEqual([]);
    },
    { timeout: 60_000 },
  );
}

/** Live is what Git says, the inventory and the labels name the same, and bystanders are as they were. */
async function expectConverged({ namespace, bystanders }: World, version: 1 | 2): Promise<ApplicationStatus> {
  const names = [...new Set([...declared[version], 'ConfigMap/kept'])].sort();
  const labelled = new Map(await labelledObjects(namespace, 'shop', kinds));
  labelled.delete('ConfigMap/copied');
  const inventory = await storedInventory(namespace, 'shop');
  expect([...labelled.keys()].sort()).toEqual(names);
  expect([...inventory].map(([name, { uid }]) => [name, uid]).sort()).toEqual([...labelled].sort());
  expect([...inventory].filter(([, { digest }]) => digest === '')).toEqual([]);
  const settings = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'settings' });
  expect(settings['data']).toEqual({ version: `${version}` });
  await expectBystanders({ namespace, bystanders });
  return (await getApplication(namespace, 'shop')).status ?? {};
}

async function expectBystanders({ namespace, bystanders }: World): Promise<void> {
  for (const [name, uid] of Object.entries(bystanders)) {
    expect((await admin().tryGet({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }))?.metadata.uid).toBe(uid);
  }
}

/** What was right when the operator was killed was not written again. */
async function expectNoNeedlessWrite(sweep: Sweep, left: ReadonlyMap<string, KubernetesObject>): Promise<void> {
  const content = ({ data, spec }: KubernetesObject): string => JSON.stringify([data, spec]);
  const writes = ({ kind, metadata }: KubernetesObject): unknown =>
    kind === 'Deployment' ? [metadata.uid, metadata.generation] : [metadata.uid, metadata.resourceVersion];
  const now = await liveObjects(sweep);
  const right = [...left].filter(([name, before]) => now.has(name) && content(before) === content(now.get(name) ?? before));
  expect(right.length).toBeGreaterThan(0);
  expect(right.map(([name, before]) => [name, writes(before)])).toEqual(
    right.map(([name, before]) => [name, writes(now.get(name) ?? before)]),
  );
}

function expectInvariants(sweep: Sweep): void {
  const applications = sweep.worlds.flatMap(({ namespace }) => [
    { namespace, name: 'shop', commits: sweep.commits, ...(sweep.deletedAt === undefined ? {} : { deletedAt: sweep.deletedAt }) },
    { namespace, name: 'other', commits: [sweep.theirs] },
  ]);
  expect(brokenInvariants({ requests: proxy.requests, applications })).toEqual([]);
}

async function everyWorld<Result>(sweep: Sweep, work: (world: World) => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(sweep.worlds.map(work));
}

describe('A15 an operator that is killed', () => {
  test.each<[Side, string]>([
    ['before', 'each request reaches the server'],
    ['after', 'the server did what each request asks, and before it learns of it'],
  ])(
    '%s %s ends its work when it is started again, and does no more than that',
    async (side) => {
      proxy.clear();
      const other = await createRepo(git, { 'a.yaml': configMap('theirs', { of: 'other' }) });
      const { repo, url } = await createRepo(git, { 'cdk8s.yaml': 'app: npx ts-node main.ts\n', 'main.ts': app(1) });
      const first = pushedAs(await repo.head(), 1);
      const theirs = { ...first, sha: await other.repo.head(), declares: ['ConfigMap/theirs'] };
      const sweep: Sweep = { side, worlds: await createWorlds(other.url), commits: [first], theirs, deletedAt: undefined };
      const crash = (phase: Phase, begin: () => Promise<unknown>) => crashDuring(sweep, phase, begin);

      const afterSync = await crash(firstSync, () =>
        everyWorld(sweep, ({ namespace }) => applyApplication(namespace, 'shop', { source: { repoURL: url } })),
      );
      expect(await driftAfter(sweep, afterSync, first.sha, 1)).toEqual([]);

      const afterCommit = await crash(commit, async () => {
        const second = pushedAs(await repo.commitFiles('second', { 'main.ts': app(2) }), 2);
        sweep.commits.push(second);
        await repo.push();
      });
      expect(await driftAfter(sweep, afterCommit, sweep.commits[1]?.sha ?? '', 2)).toEqual([]);

      const afterHeal = await crash(heal, () =>
        everyWorld(sweep, async ({ namespace }) => {
          const settings = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
          await admin().patch(settings, { data: { version: 'drifted' } }, { fieldManager: 'mallory' });
          await admin().delete({ ...settings, name: 'extra' });
        }),
      );
      // What was healed but not told before the end is lost; nothing else may be told.
      const told = await driftAfter(sweep, afterHeal, sweep.commits[1]?.sha ?? '', 2);
      expect([...new Set(told)].filter((drift) => !['extra deleted unknown', 'settings changed mallory'].includes(drift))).toEqual([]);

      await crash(deletion, () => {
        sweep.deletedAt = Date.now();
        return everyWorld(sweep, ({ namespace }) => admin().delete({ ...applicationRef, namespace }));
      });
      await everyWorld(sweep, (world) => eventually(() => expectGone(world), { timeout: 60_000 }));
      expectInvariants(sweep);
      await operator?.kill();
    },
    300_000,
  );
});

/** Waits until every world is as Git says, checks all that must be true then, and returns the drift that statuses tell. */
async function driftAfter(
  sweep: Sweep,
  left: ReadonlyMap<string, KubernetesObject>,
  sha: string,
  version: 1 | 2,
): Promise<readonly string[]> {
  await everyWorld(sweep, ({ namespace }) => untilSynced(namespace, 'shop', sha, 60_000));
  await untilLookedAt(sweep);
  const statuses = await everyWorld(sweep, (world) => eventually(() => expectConverged(world, version), { timeout: 60_000 }));
  await expectNoNeedlessWrite(sweep, left);
  expectInvariants(sweep);
  return statuses.flatMap(({ drift }) => drift ?? []).map(({ object, kind, manager }) => `${object.name} ${kind} ${manager}`);
}

/** Only what is protected and what is not ours is left. */
async function expectGone(world: World): Promise<void> {
  const { namespace } = world;
  expect(await admin().tryGet({ ...applicationRef, namespace })).toBeUndefined();
  expect([...(await labelledObjects(namespace, 'shop', kinds)).keys()].sort()).toEqual(['ConfigMap/copied', 'ConfigMap/kept']);
  expect([...(await storedInventory(namespace, 'shop')).keys()]).toEqual([]);
  await expectBystanders(world);
}
