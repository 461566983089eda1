// `setpoint suspend` and `resume` against a running operator: what stays undone, what is still shown, and that all of it is done on resume.
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
  untilStatus as statusUntil,
  untilSynced as syncedUntil,
  tenantNamespace,
} from '../support/application.ts';
import { admin, eventually, serviceAccountKubeconfig } from '../support/cluster.ts';
import { setpoint } from '../support/command-line.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

const application = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application' };
const annotation = 'setpoint.dev/suspended';
const patience = 60_000;
const untilSynced = (space: string, name: string, commit: string): ReturnType<typeof syncedUntil> =>
  syncedUntil(space, name, commit, patience);
const untilStatus = (...[space, name, check]: Parameters<typeof statusUntil>): ReturnType<typeof statusUntil> =>
  statusUntil(space, name, check, patience);

const soon = <T>(check: () => T | Promise<T>): Promise<T> => eventually(check, { timeout: patience });

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('suspend');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 240_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

function liveData(name: string): Promise<unknown> {
  return admin()
    .get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
    .then((live) => live['data']);
}

function untilReason(name: string, reason: string): ReturnType<typeof untilStatus> {
  return untilStatus(namespace, name, (status) => expect(conditionOf(status, 'Ready')?.reason).toBe(reason));
}

test('a suspended application is left alone and shows its drift; resumed, it does at once what it missed', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('a', { n: '1' }), 'b.yaml': configMap('b', { n: '1' }) });
  const first = await repo.head();
  await applyApplication(namespace, 'web', { source: { repoURL: url, interval: '1h' } });
  await untilSynced(namespace, 'web', first);

  const suspended = await setpoint(['suspend', 'web', '-n', namespace, '--reason', 'database migration']);
  expect(suspended).toMatchObject({
    code: 0,
    err: '',
    out: `Application ${namespace}/web is suspended; to go on: setpoint resume web -n ${namespace}\n`,
  });
  const said = conditionOf(await untilReason('web', 'Suspended'), 'Ready')?.message;
  expect(said).toMatch(
    new RegExp(
      `^suspended by \\S+ since 20\\S+Z \\(database migration\\): nothing is synced, healed or pruned; to go on: setpoint resume web -n ${namespace}$`,
    ),
  );
  expect((await setpoint(`get web -n ${namespace}`)).out).toMatch(
    new RegExp(
      `${first.slice(0, 8)} is applied; the application is suspended\\. .* To go on: setpoint resume web -n ${namespace}\\.\n[\\s\\S]*\nSuspended: +by \\S+ since \\S+ \\(database migration\\)\n`,
    ),
  );

  await admin().patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'a' }, { data: { n: 'x' } }, { fieldManager: 'mallory' });
  await untilStatus(namespace, 'web', ({ drift }) => expect(drift?.[0]).toMatchObject({ manager: 'mallory', healed: false }));
  const second = await push(repo, 'second', { 'b.yaml': configMap('b', { n: '2' }) });
  await admin().patch(
    { ...application, namespace, name: 'web' },
    { metadata: { annotations: { 'setpoint.dev/reconcile-requested': 'now' } } },
  );
  const status = await untilStatus(namespace, 'web', ({ lastHandledReconcileAt }) => expect(lastHandledReconcileAt).toBe('now'));
  expect(status.source?.revision).toBe(first);
  expect([await liveData('a'), await liveData('b')]).toEqual([{ n: 'x' }, { n: '1' }]);

  expect(await setpoint(`resume web -n ${namespace}`)).toMatchObject({ code: 0, out: `Application ${namespace}/web is resumed\n` });
  // Nobody polls for an hour: it was looked for because of the resume.
  const resumed = await untilSynced(namespace, 'web', second);
  expect([await liveData('a'), await liveData('b')]).toEqual([{ n: '1' }, { n: '2' }]);
  expect(resumed.history?.[0]).toMatchObject({ result: 'Synced', initiatedBy: 'resume', counts: { update: 2 } });
  const reasons = async (): Promise<readonly string[]> =>
    (await admin().list('events.k8s.io/v1', 'Event', { namespace }))
      .filter(({ regarding }) => regarding?.name === 'web')
      .map(({ reason }) => String(reason));
  await soon(async () => expect(await reasons()).toEqual(expect.arrayContaining(['Suspended', 'Resumed'])));
}, 240_000);

describe('resume', () => {
  test('says that an application is suspended by its spec, which is not for it to change', async () => {
    const { url } = await createRepo(git, { 'a.yaml': configMap('by-spec', { n: '1' }) });
    await applyApplication(namespace, 'by-spec', { source: { repoURL: url }, suspend: true });
    const status = await untilReason('by-spec', 'Suspended');
    expect(conditionOf(status, 'Ready')?.message).toMatch(/^suspended by spec\.suspend: .* set spec\.suspend to false where/);
    await setpoint(`suspend by-spec -n ${namespace}`);
    const answer = await setpoint(`resume by-spec -n ${namespace}`);
    expect(answer.code).toBe(1);
    expect(answer.err).toBe(
      `Application ${namespace}/by-spec stays suspended by spec.suspend: set it to false where the Application is declared, which is Git if it came from there\n`,
    );
    const { metadata } = await getApplication(namespace, 'by-spec');
    expect(metadata.annotations?.[annotation]).toBeUndefined();
  }, 240_000);

  test('of an application that is not suspended changes nothing, and in the wrong namespace says where it is', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('awake', { n: '1' }) });
    await applyApplication(namespace, 'awake', { source: { repoURL: url } });
    await untilSynced(namespace, 'awake', await repo.head());
    expect(await setpoint(`resume awake -n ${namespace}`)).toMatchObject({
      code: 0,
      out: `Application ${namespace}/awake was not suspended\n`,
    });
    for (const command of ['suspend', 'resume', 'plan', 'diff']) {
      expect((await setpoint(`${command} awake -n default`)).err).toContain(`there is one in namespace ${namespace}; add -n ${namespace}`);
    }
  }, 240_000);
});

test('a parent application changes the spec of a suspended one and leaves it suspended', async () => {
  const child = await createRepo(git, { 'a.yaml': configMap('child', { n: '1' }) });
  const declared = (historyLimit: number): string =>
    JSON.stringify({
      ...application,
      metadata: { name: 'child' },
      spec: { source: { repoURL: child.url, interval: '1s' }, historyLimit },
    });
  const parent = await createRepo(git, { 'child.yaml': declared(20) });
  await applyApplication(namespace, 'parent', { source: { repoURL: parent.url } });
  await untilSynced(namespace, 'parent', await parent.repo.head());
  await untilSynced(namespace, 'child', await child.repo.head());
  await setpoint(`suspend child -n ${namespace}`);
  await untilReason('child', 'Suspended');
  await push(parent.repo, 'longer history', { 'child.yaml': declared(30) });
  await soon(async () => expect((await getApplication(namespace, 'child'))['spec'].historyLimit).toBe(30));
  const status = await untilStatus(namespace, 'child', ({ observedGeneration }) => expect(observedGeneration).toBe(2));
  expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended');
  expect((await getApplication(namespace, 'child')).metadata.annotations?.[annotation]).toMatch(/"by":/);
  const { drift } = await untilStatus(namespace, 'parent', ({ sync }) => expect(sync?.status).toBe('Synced'));
  expect(drift ?? []).toEqual([]);
}, 240_000);

describe('who may not, or names nothing that is there', () => {
  test('is told which permission is missing', async () => {
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'nobody');
    const { url } = await createRepo(git, { 'a.yaml': configMap('guarded', { n: '1' }) });
    await applyApplication(namespace, 'guarded', { source: { repoURL: url } });
    const { code, err } = await setpoint(`suspend guarded -n ${namespace}`, { kubeconfig });
    expect(code).toBe(2);
    expect(err).toContain(`ServiceAccount ${namespace}/nobody may not patch applications.setpoint.dev in namespace ${namespace}`);
  }, 240_000);

  test('is told that there is none', async () => {
    for (const verb of ['suspend', 'resume']) {
      const { code, err } = await setpoint(`${verb} nothing -n ${namespace}`);
      expect({ code, err }).toEqual({
        code: 2,
        err: `error: read Application ${namespace}/nothing: there is none of that name; list them with: setpoint get -A\n`,
      });
    }
  }, 60_000);
});
