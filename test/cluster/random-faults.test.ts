// Commits and drift while the API server and the Git server fail by dice, and the operator is killed in the middle. When the faults end, all
// must come right by itself. A failing seed is run again with SETPOINT_FAULT_SEED.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import { applyApplication, configMap, createRepo, startTestGitServer, tenantNamespace, untilSynced } from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory, uniqueName } from '../support/cluster.ts';
import { brokenInvariants, type PushedCommit } from '../support/invariants.ts';
import { labelledObjects, storedInventory } from '../support/inventory.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';
import { apiFaults, Dice, gitFaults } from '../support/random-faults.ts';

const seed = Number(process.env['SETPOINT_FAULT_SEED'] ?? 20_261_127);
const rounds = 24;
const pauseMilliseconds = 1_200;
const kinds = [['v1', 'ConfigMap']] as const;

/** One repository with its lagging copy, and the Applications that follow it. */
interface World {
  readonly repo: ManifestRepo;
  readonly namespaces: readonly string[];
  readonly commits: PushedCommit[];
  /** Objects that Git declares, name → value. */
  declared: Readonly<Record<string, string>>;
}

let git: GitServer;
let proxy: ApiProxy;
let kubeconfig: string;
let operator: RunningOperator | undefined;
let onGitRequest: ReturnType<typeof gitFaults> | undefined;

beforeAll(async () => {
  git = await startTestGitServer({
    intercept: (request, response, next) => (onGitRequest ?? ((_, __, go) => go()))(request, response, next),
  });
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath(), keepsAnswer: ({ watch }) => !watch });
  kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
}, 60_000);

afterAll(async () => {
  await operator?.kill();
  await proxy?.close();
  await git?.close();
}, 90_000);

test(`I5 with faults by seed ${seed} no invariant breaks, and when they end everything comes right`, async () => {
  const dice = new Dice(seed);
  const { world, lagging, shown } = await createWorld();
  operator = await startOperator({ namespaces: world.namespaces, kubeconfig });
  await Promise.all(world.namespaces.map((namespace) => untilSynced(namespace, 'app', world.commits[0]?.sha ?? '', 60_000)));
  const faultOf = apiFaults(dice, () => proxy.requests);
  let spoilt = 0;
  proxy.onRequest = (request) => {
    const fault = faultOf(request);
    if (fault !== undefined && fault.lines === undefined) spoilt += 1;
    return fault;
  };
  onGitRequest = gitFaults(dice, { shown, lagging });
  for (let round = 0; round < rounds; round += 1) {
    await happen(dice, world);
    if (round === rounds / 2) {
      await operator.kill();
      operator = await startOperator({ namespaces: world.namespaces, kubeconfig });
    }
    await pause(pauseMilliseconds * dice.roll('pause'));
  }
  expect(spoilt).toBeGreaterThan(20);
  // The last word is a commit that can be read.
  await commit(world, { ...world.declared, last: 'word' });
  onGitRequest = undefined;
  proxy.onRequest = undefined;
  proxy.dropConnections();
  await Promise.all(
    world.namespaces.map((namespace) => eventually(() => expectConverged(namespace, world), { timeout: 150_000, interval: 500 })),
  );
  const applications = world.namespaces.map((namespace) => ({ namespace, name: 'app', commits: world.commits }));
  expect(brokenInvariants({ requests: proxy.requests, applications })).toEqual([]);
}, 400_000);

async function createWorld(): Promise<{ readonly world: World; readonly shown: string; readonly lagging: string }> {
  const namespaces = [await tenantNamespace('fault'), await tenantNamespace('fault')];
  const declared = { a: '0', b: '0', c: '0' };
  const { repo, url } = await createRepo(git, filesOf(declared));
  const lagging = `${uniqueName('lagging')}.git`;
  await git.createRepository(lagging);
  await repo.git('remote', 'add', 'lagging', git.repositoryPath(lagging));
  await repo.git('push', '-q', 'lagging', 'HEAD:main');
  const commits = [{ sha: await repo.head(), at: 0, declares: Object.keys(declared).map((name) => `ConfigMap/${name}`) }];
  for (const namespace of namespaces) await applyApplication(namespace, 'app', { source: { repoURL: url } });
  return { world: { repo, namespaces, commits, declared }, shown: url.split('/').at(-1) ?? '', lagging };
}

function filesOf(declared: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(declared).map(([name, value]) => [`${name}.yaml`, configMap(name, { value })]));
}

/** A commit of just these objects; the copy that lags gets the commit before. */
async function commit(world: World, declared: Readonly<Record<string, string>>, isBroken = false): Promise<void> {
  const gone = Object.keys(world.declared).filter((name) => !(name in declared));
  await world.repo.git('push', '-q', 'lagging', 'HEAD:main');
  const files = { ...filesOf(declared), ...Object.fromEntries(gone.map((name) => [`${name}.yaml`, undefined])) };
  const broken = { 'broken.yaml': isBroken ? 'kind: [\n' : '# nothing\n' };
  const sha = await world.repo.commitFiles('a change', { ...files, ...broken }, { allowEmpty: true });
  const declares = isBroken ? undefined : Object.keys(declared).map((name) => `ConfigMap/${name}`);
  world.commits.push({ sha, at: Date.now(), declares });
  world.declared = declared;
  await world.repo.push();
}

/** Something that people do: to Git, or to live objects behind Git's back. */
async function happen(dice: Dice, world: World): Promise<void> {
  const names = Object.keys(world.declared);
  const name = dice.pick('name', names);
  const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace: dice.pick('namespace', world.namespaces), name };
  switch (dice.pick('event', ['change', 'change', 'add', 'remove', 'break', 'edit', 'edit', 'unlabel', 'delete'])) {
    case 'change':
      return commit(world, { ...world.declared, [name]: `${world.commits.length}` });
    case 'add':
      return commit(world, { ...world.declared, [`n${world.commits.length}`]: 'new' });
    case 'remove':
      return commit(world, Object.fromEntries(Object.entries(world.declared).filter(([one]) => one !== name || names.length < 3)));
    case 'break':
      return commit(world, world.declared, true);
    case 'edit':
      return ignoreAbsent(admin().patch(object, { data: { value: 'edited' } }, { fieldManager: 'mallory' }));
    case 'unlabel':
      return ignoreAbsent(admin().patch(object, { metadata: { labels: null } }, { fieldManager: 'mallory' }));
    default:
      return admin().delete(object);
  }
}

/** The object may not have been created yet. */
async function ignoreAbsent(patch: Promise<unknown>): Promise<void> {
  await patch.catch((error: unknown) => {
    if (!/NotFound|not found/i.test(String(error))) throw error;
  });
}

async function expectConverged(namespace: string, world: World): Promise<void> {
  const labelled = await labelledObjects(namespace, 'app', kinds);
  const objects = await admin().list('v1', 'ConfigMap', { namespace });
  const live = objects.filter(({ metadata }) => labelled.has(`ConfigMap/${metadata.name}`));
  expect(Object.fromEntries(live.map(({ metadata, data }) => [metadata.name, data?.['value']]))).toEqual(world.declared);
  expect([...(await storedInventory(namespace, 'app'))].map(([name, { uid }]) => [name, uid]).sort()).toEqual([...labelled].sort());
  const status = await untilSynced(namespace, 'app', world.commits.at(-1)?.sha ?? '', 1);
  expect(status.source?.revision).toBe(world.commits.at(-1)?.sha);
}
