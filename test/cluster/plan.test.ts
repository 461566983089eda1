// `setpoint plan` and `setpoint diff` against a running operator: what they show is what the operator then does, and no value of a Secret is ever in it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import type { PlanReport } from '../../operator/cli/plan-text.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  untilStatus as statusUntil,
  untilSynced as syncedUntil,
  tenantNamespace,
} from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory, serviceAccountKubeconfig } from '../support/cluster.ts';
import { setpoint } from '../support/command-line.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

/** Every command here synthesizes in a process of its own: on a busy machine that takes its time. */
const patience = 90_000;
const untilSynced = (space: string, name: string, commit: string): ReturnType<typeof syncedUntil> =>
  syncedUntil(space, name, commit, patience);
const untilStatus = (...[space, name, check]: Parameters<typeof statusUntil>): ReturnType<typeof statusUntil> =>
  statusUntil(space, name, check, patience);

const soon = <T>(check: () => T | Promise<T>): Promise<T> => eventually(check, { timeout: patience });

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('plan');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

const oldCanary = 'canary-before-7d1f';
const newCanary = 'canary-after-93ab';

/** An app of every kind of change, before or after its commit. */
function appCode(state: 'before' | 'after'): string {
  const container = { name: 'job', image: state === 'before' ? 'job:1' : 'job:2' };
  const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } };
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'same' }, data: { n: '1' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'drifted' }, data: { n: '1' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: state === 'before' ? 'old' : 'new' }, data: { n: '1' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { token: state === 'before' ? oldCanary : newCanary } },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: { schedule: '0 3 * * *', ...(state === 'before' ? { concurrencyPolicy: 'Forbid' } : {}), jobTemplate },
    },
  ];
  return `import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
const chart = new Chart(app, 'shop');
${objects.map((object) => `new ApiObject(chart, '${object.metadata.name}', ${JSON.stringify(object)} as never);`).join('\n')}
app.synth();
`;
}

async function startApp(name: string): Promise<{ readonly repo: ManifestRepo; readonly url: string }> {
  const made = await createRepo(git, {
    'cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
    'main.ts': appCode('before'),
  });
  await applyApplication(namespace, name, { source: { repoURL: made.url, interval: '1h' } });
  return made;
}

function expectNoCanary(...texts: readonly string[]): void {
  for (const text of texts) {
    for (const canary of [oldCanary, newCanary]) {
      for (const form of [canary, Buffer.from(canary).toString('base64'), Buffer.from(canary).toString('hex')]) {
        expect(text).not.toContain(form);
      }
    }
  }
}

test('the plan says what the next sync does, in order, with fields and digest, and the operator then carries out that very plan; T8 T9 no Secret is told', async () => {
  const { repo } = await startApp('shop');
  await untilSynced(namespace, 'shop', await repo.head());
  await setpoint(`suspend shop -n ${namespace}`);
  await untilStatus(namespace, 'shop', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
  // A copy of the whole object, values of other days included, as kubectl leaves it behind.
  const copy = JSON.stringify({ data: { token: Buffer.from(oldCanary).toString('base64') } });
  const annotated = { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': copy } } };
  await admin().patch({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'token' }, annotated);
  await admin().patch(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'drifted' },
    { data: { n: 'x' } },
    { fieldManager: 'mallory' },
  );
  await untilStatus(namespace, 'shop', ({ drift }) => expect(drift?.map(({ object }) => object.name)).toContain('drifted'));
  const second = await push(repo, 'second', { 'main.ts': appCode('after') });

  const table = await setpoint(`plan shop -n ${namespace}`);
  expect(table.code).toBe(1);
  const digest = /^digest: ([0-9a-f]{64})$/m.exec(table.out)?.[1];
  expect(
    table.out
      .replaceAll(namespace, 'NS')
      .replace(/^(STEP +ACTION +OBJECT) +REASON$/m, '$1 REASON')
      .replace(digest ?? '', 'DIGEST'),
  ).toBe(
    `NS/shop: ${second.slice(0, 8)} "second" (Ada Author), compared as ServiceAccount NS/setpoint-applier

STEP   ACTION   OBJECT REASON
1      update   Secret NS/token        changed in Git
1      update   ConfigMap NS/drifted   differs from Git in the cluster
1      create   ConfigMap NS/new       new in Git
2      update   CronJob NS/nightly     changed in Git
3      prune    ConfigMap NS/old       not in Git any more

Secret NS/token (shop/token, main.ts:7:1)
  .data.token: "*** (before)" → "*** (after)"

ConfigMap NS/drifted (shop/drifted, main.ts:5:1)
  .data.n: "x" → "1"

CronJob NS/nightly (shop/nightly, main.ts:8:1)
  .spec.concurrencyPolicy: "Forbid" → undeclared → "Allow"
  .spec.jobTemplate.spec.template.spec.containers[name="job"].image: "job:1" → "job:2"

1 create, 3 update, 1 prune, 1 unchanged
not now: suspended by admin since AT: nothing is synced, healed or pruned; to go on: setpoint resume shop -n NS
digest: DIGEST
`.replace('by admin since AT', /suspended (.*): nothing/.exec(table.out)?.[1] ?? ''),
  );
  const [wide, json, yaml] = [
    await setpoint(`plan shop -n ${namespace} -o wide`),
    await setpoint(`plan shop -n ${namespace} -o json`),
    await setpoint(`plan shop -n ${namespace} -o yaml`),
  ];
  const report = JSON.parse(json.out) as PlanReport;
  expect(report).toMatchObject({
    application: `${namespace}/shop`,
    revision: { sha: second },
    plan: { digest, counts: { create: 1, update: 3 } },
  });
  expect(wide.out).toMatch(/^- +unchanged +ConfigMap \S+\/same +equal to Git +shop\/same +main\.ts:4:1$/m);

  const diff = await setpoint(`diff shop -n ${namespace}`);
  expect(diff.code).toBe(1);
  expect(diff.out).toContain(`CronJob ${namespace}/nightly (shop/nightly, main.ts:8:1): update: changed in Git
--- live
+++ ${second.slice(0, 8)}
@@`);
  expect(diff.out).toContain('\n-            - image: job:1\n+            - image: job:2\n');
  expect(diff.out).toContain('\n-  token: "*** (before)"\n+  token: "*** (after)"\n');
  expect(diff.out).toMatch(
    /ConfigMap \S+\/old .*: prune: not in Git any more\n--- live\n\+\+\+ \w+\n@@ -1,\d+ \+0,0 @@\n-apiVersion: v1\n/,
  );
  expect(diff.out).not.toMatch(/managedFields|resourceVersion|creationTimestamp|\bstatus:/);
  const folder = await setpoint(`diff ${repo.directory}/ -n ${namespace}`);
  expect(folder.code).toBe(1);
  expectNoCanary(...[table, wide, json, yaml, diff, folder].flatMap(({ out, err }) => [out, err]));

  await setpoint(`resume shop -n ${namespace}`);
  await untilSynced(namespace, 'shop', second);
  const carriedOut = (): readonly unknown[] =>
    operator
      .logs()
      .filter(({ event, application, revision }) => event === 'reconciled' && application === `${namespace}/shop` && revision === second)
      .map(({ plan }) => plan);
  await soon(() => expect(carriedOut()[0]).toBe(digest));
  const cronJob = await admin().get({ apiVersion: 'batch/v1', kind: 'CronJob', namespace, name: 'nightly' });
  expect(cronJob['spec'].concurrencyPolicy).toBe('Allow');
  await soon(async () => {
    const { code, out } = await setpoint(`plan shop -n ${namespace}`);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('5 unchanged\ndigest: ') });
  });
  expect(await setpoint(`diff shop -n ${namespace}`)).toMatchObject({ code: 0, out: '', err: '' });
}, 400_000);

/** Many objects of one kind cost one list, and none of them is asked for by itself while there is nothing to do. */
async function checkRequests(name: string): Promise<void> {
  const proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = path.join(scratchDirectory(), 'counted.kubeconfig');
  proxy.writeKubeconfig(kubeconfigPath(), kubeconfig);
  try {
    expect(await setpoint(`plan ${name} -n ${namespace}`, { kubeconfig })).toMatchObject({ code: 0, err: '' });
    const asked = proxy.requests.filter((request) => request.path.includes(`/namespaces/${namespace}/configmaps`));
    expect(asked.map(({ method, query }) => [method, query.has('labelSelector')])).toEqual([['GET', true]]);
    expect(proxy.writes().filter((request) => !/\/selfsubject/.test(request.path))).toEqual([]);
  } finally {
    await proxy.close();
  }
}

/** The operator carried out the plan that was printed. */
async function expectCarriedOut(name: string, printed: string): Promise<void> {
  const digest = /^digest: ([0-9a-f]{64})$/m.exec(printed)?.[1];
  expect(digest).toBeDefined();
  await soon(() => {
    const mine = operator.logs().filter(({ event, application }) => event === 'reconciled' && application === `${namespace}/${name}`);
    expect(mine.map(({ plan }) => plan)).toContain(digest);
  });
}

describe('a plan', () => {
  test('of what exists already says whom it is taken from, and what is left to others is no difference', async () => {
    const existing = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'older' }, data: { n: '0', tuned: 'by hand' } };
    await admin().create(existing, { fieldManager: 'kubectl-create' });
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('older', { n: '1', tuned: 'in Git' }) });
    const source = { repoURL: url, interval: '1h' };
    const sync = { ignoreDifferences: [{ group: '', kind: 'ConfigMap', jsonPointers: ['/data/tuned'] }] };
    await applyApplication(namespace, 'adopting', { source, sync, suspend: true });
    await untilStatus(namespace, 'adopting', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
    const { out, code } = await setpoint(`plan adopting -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toMatch(/^1 +update +ConfigMap \S+\/older +exists already and is adopted.*kubectl-create/m);
    expect(out).toContain('.data.n: "0" → "1"');
    expect(out).not.toContain('.data.tuned');
    expect((await setpoint(`plan adopting -n ${namespace} -o wide`)).out).toContain('\n  .data.tuned is left to others\n');
    await applyApplication(namespace, 'adopting', { source, sync, suspend: false });
    await untilSynced(namespace, 'adopting', await repo.head());
    const carriedOut = operator
      .logs()
      .find(({ event, application, plan }) => event === 'reconciled' && application === `${namespace}/adopting` && plan);
    expect(carriedOut?.['plan']).toBe(/^digest: ([0-9a-f]{64})$/m.exec(out)?.[1]);
    expect((await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'older' }))['data']).toEqual({
      n: '1',
      tuned: 'by hand',
    });
  }, 300_000);

  test('of what another tool declared shows what goes with the adoption, and that is what is live afterwards', async () => {
    const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
    const legacy = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'legacy', annotations: { [lastApplied]: '{}' } } };
    const container = { name: 'job', image: 'job:1' };
    const spec = {
      schedule: '0 3 * * *',
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } },
    };
    const cronJob = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { namespace, name: 'legacy' } };
    await admin().create({ ...legacy, data: { a: 'old', c: 'extra' } }, { fieldManager: 'kubectl-client-side-apply' });
    await admin().create({ ...cronJob, spec: { ...spec, concurrencyPolicy: 'Forbid' } }, { fieldManager: 'kubectl-create' });
    await admin().patch(
      { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'legacy' },
      { data: { kept: 'x' } },
      { fieldManager: 'mallory' },
    );
    const { repo, url } = await createRepo(git, {
      'a.yaml': configMap('legacy', { a: '1', b: '2' }),
      'b.yaml': JSON.stringify({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'legacy' }, spec }),
    });
    const source = { repoURL: url, interval: '1h' };
    await applyApplication(namespace, 'legacy', { source, suspend: true });
    await untilStatus(namespace, 'legacy', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
    const { out, code } = await setpoint(`plan legacy -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toContain(`
  .data.a: "old" → "1"
  .data.b: absent → "2"
  .data.c: "extra" → undeclared → absent
  .metadata.annotations["${lastApplied}"]: "{}" → undeclared → absent
`);
    expect(out).toContain('\n  .data.a is taken over from kubectl-client-side-apply\n');
    expect(out).toContain('.spec.concurrencyPolicy: "Forbid" → undeclared → "Allow"\n');
    expect(out).not.toContain('.data.kept');
    const diff = await setpoint(`diff legacy -n ${namespace}`);
    expect(diff.out).toContain('\n-  c: extra\n');
    await applyApplication(namespace, 'legacy', { source, suspend: false });
    await untilSynced(namespace, 'legacy', await repo.head());
    await expectCarriedOut('legacy', out);
    const live = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'legacy' });
    expect(live['data']).toEqual({ a: '1', b: '2', kept: 'x' });
    expect(Object.keys(live.metadata.annotations ?? {})).not.toContain(lastApplied);
    const job = await admin().get({ apiVersion: 'batch/v1', kind: 'CronJob', namespace, name: 'legacy' });
    expect(job['spec'].concurrencyPolicy).toBe('Allow');
  }, 300_000);

  test('names fields of other managers: what is left to them with conflicts: Fail, and what is taken with Force', async () => {
    const existing = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'contested' }, data: { n: '0' } };
    await admin().create(existing, { fieldManager: 'some-controller' });
    const { url } = await createRepo(git, { 'a.yaml': configMap('contested', { n: '1' }), 'b.yaml': configMap('free', { n: '1' }) });
    const source = { repoURL: url, interval: '1h' };
    await applyApplication(namespace, 'contested', { source, sync: { conflicts: 'Fail' }, suspend: true });
    await untilStatus(namespace, 'contested', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
    const held = await setpoint(`plan contested -n ${namespace}`);
    expect(held.code).toBe(1);
    expect(held.out).toMatch(/^- +conflict +ConfigMap \S+\/contested +field manager conflict on \.data\.n \(some-controller\)$/m);
    expect(held.out).toContain('\n1 create, 1 conflict\n');
    await applyApplication(namespace, 'contested', { source, sync: { conflicts: 'Fail' }, suspend: false });
    await untilStatus(namespace, 'contested', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('ApplyConflict'));
    await expectCarriedOut('contested', held.out);
    const waiting = await setpoint(`plan contested -n ${namespace}`);
    expect(waiting).toMatchObject({ code: 1, out: expect.stringContaining('\n1 conflict, 1 unchanged\n') });
    await applyApplication(namespace, 'contested', { source, sync: { conflicts: 'Force' }, suspend: true });
    const forced = await setpoint(`plan contested -n ${namespace}`);
    expect(forced.out).toContain('\n  .data.n: "0" → "1"\n');
    expect(forced.out).toContain('\n  .data.n is taken over from some-controller\n');
  }, 300_000);

  test('shows additions that are stripped, also where nothing is healed', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('stripped', { n: '1' }) });
    const source = { repoURL: url, interval: '1h' };
    const sync = { strip: [{ managers: ['kubectl-set'] }] };
    await applyApplication(namespace, 'stripped', { source });
    await untilSynced(namespace, 'stripped', await repo.head());
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'stripped' };
    await admin().patch(ref, { data: { bar: '1' } }, { fieldManager: 'kubectl-set' });
    await untilStatus(namespace, 'stripped', ({ extraFields }) =>
      expect(extraFields?.items.map(({ fields }) => fields)).toEqual([['.data.bar']]),
    );
    await soon(async () => expect((await setpoint(`plan stripped -n ${namespace}`)).code).toBe(0));
    await applyApplication(namespace, 'stripped', { source, sync, suspend: true });
    await untilStatus(namespace, 'stripped', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
    const { out, code } = await setpoint(`plan stripped -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toMatch(/^1 +update +ConfigMap \S+\/stripped +differs from Git in the cluster$/m);
    expect(out).toContain('\n  .data.bar: "1" → absent\n');
    expect((await setpoint(`diff stripped -n ${namespace}`)).out).toContain('\n-  bar: "1"\n');
    await applyApplication(namespace, 'stripped', { source, sync: { ...sync, selfHeal: false }, suspend: true });
    const shown = await setpoint(`plan stripped -n ${namespace}`);
    expect(shown.code).toBe(1);
    expect(shown.out).toMatch(/^- +skip +ConfigMap \S+\/stripped +differs from Git in the cluster; self-heal is off$/m);
    expect(shown.out).toContain('\n  .data.bar: "1" → absent\n');
    await applyApplication(namespace, 'stripped', { source, sync: { ...sync, selfHeal: true }, suspend: false });
    await soon(async () => expect((await admin().get(ref))['data']).toEqual({ n: '1' }));
    await expectCarriedOut('stripped', out);
  }, 300_000);

  test('that would remove too much says that it would be held back', async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}.yaml`, configMap(`held-${index}`, { n: '1' })]));
    const { repo, url } = await createRepo(git, files);
    await applyApplication(namespace, 'held', { source: { repoURL: url } });
    await untilSynced(namespace, 'held', await repo.head());
    await checkRequests('held');
    const removed = Object.fromEntries(Object.keys(files).map((file) => [file, file === '0.yaml' ? files[file] : undefined]));
    await push(repo, 'fewer', removed);
    const { out, code } = await setpoint(`plan held -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toContain('\n11 prune, 1 unchanged\nheld back: PruneGuard: the sync would remove 11 of 12 objects, more than 50 %: ');
    expect(out.match(/^1 +prune +ConfigMap/gm)).toHaveLength(11);
  }, 240_000);

  test('A7 A29 of a commit that the server refuses names the object and its place, and that nothing would be applied', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'bad' }, spec: { clusterIP: '1.2.3.4', ports: [{ port: 80 }] } };
    const { url } = await createRepo(git, { 'a.yaml': configMap('fine', { n: '1' }), 'b.yaml': JSON.stringify(service) });
    await applyApplication(namespace, 'refused', { source: { repoURL: url } });
    const { out, err, code } = await setpoint(`plan refused -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toContain('refused: nothing of this commit would be applied\n');
    expect(err).toMatch(/^b\.yaml:1:1: error ServerRefused: Service \S+\/bad: .*clusterIP/);
    const json = JSON.parse((await setpoint(`plan refused -n ${namespace} -o json`)).out) as PlanReport;
    expect(json.verdict).toMatchObject({ kind: 'refused', findings: [{ code: 'ServerRefused', object: { name: 'bad' } }] });
  }, 240_000);

  test('of a checkout or of another revision needs no repository that answers', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('checkout', { n: '1' }) });
    await applyApplication(namespace, 'checkout', { source: { repoURL: url, interval: '1h' } });
    await untilSynced(namespace, 'checkout', await repo.head());
    const second = await repo.commitFiles('not pushed', { 'a.yaml': configMap('checkout', { n: '2' }) });
    writeFileSync(path.join(repo.directory, 'a.yaml'), configMap('checkout', { n: '3' }));
    const fromFiles = await setpoint(`plan checkout -n ${namespace} --dir ${repo.directory}`);
    expect(fromFiles).toMatchObject({ code: 1, out: expect.stringContaining('.data.n: "1" → "3"\n') });
    expect(fromFiles.out).toContain('files that are not committed');
    const fromCommit = await setpoint(`plan checkout -n ${namespace} --dir ${repo.directory} --revision ${second}`);
    expect(fromCommit).toMatchObject({ code: 1, out: expect.stringContaining('.data.n: "1" → "2"\n') });
    expect((await setpoint(`plan checkout -n ${namespace} --revision main`)).code).toBe(0);
    const missing = await setpoint(`plan checkout -n ${namespace} --revision nowhere`);
    expect(missing).toMatchObject({ code: 2, out: '', err: expect.stringContaining('nowhere') });
  }, 240_000);

  test('of a repository that does not answer says so, and how to do without', async () => {
    await applyApplication(namespace, 'away', { source: { repoURL: 'http://127.0.0.1:9/away.git' }, suspend: true });
    const { code, err, out } = await setpoint(`plan away -n ${namespace}`);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/127\.0\.0\.1:9.*with a checkout of the repository on this machine: --dir DIR\n$/s);
  }, 240_000);

  test('T9 is refused to who may not read a Secret it is about, even to who may write it', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'guarded' }, stringData: { token: oldCanary } };
    const { repo, url } = await createRepo(git, { 'a.yaml': JSON.stringify(secret) });
    await applyApplication(namespace, 'guarded', { source: { repoURL: url, interval: '1h' } });
    await untilSynced(namespace, 'guarded', await repo.head());
    await push(repo, 'guess', { 'a.yaml': JSON.stringify({ ...secret, stringData: { token: newCanary } }) });
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'writer');
    const rules = [
      { apiGroups: ['setpoint.dev'], resources: ['applications', 'inventories'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['patch', 'create', 'update'] },
    ];
    await admin().apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { namespace, name: 'writer' }, rules });
    await admin().apply({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { namespace, name: 'writer' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'writer' }],
    });
    for (const words of [`plan guarded -n ${namespace}`, `diff guarded -n ${namespace}`, `diff ${repo.directory}/ -n ${namespace}`]) {
      await soon(async () => {
        const { code, out, err } = await setpoint(words, { kubeconfig });
        expect({ code, out }).toEqual({ code: 2, out: '' });
        expect(err).toContain(`ServiceAccount ${namespace}/writer may not get secrets in namespace ${namespace}`);
        expectNoCanary(out, err);
      });
    }
  }, 240_000);

  test('W19 prints no control character of a cluster or a repository', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('hostile', { n: '1' }) });
    await applyApplication(namespace, 'hostile', { source: { repoURL: url, interval: '1h' } });
    await untilSynced(namespace, 'hostile', await repo.head());
    const control = '\u001b]0;owned\u0007\u001b[31m\u009b1m\u202e';
    const hostile = { data: { n: `x${control}` }, metadata: { annotations: { note: control } } };
    await setpoint(`suspend hostile -n ${namespace}`);
    await untilStatus(namespace, 'hostile', (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Suspended'));
    await admin().patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'hostile' }, hostile);
    await push(repo, `subject ${control}`, { 'a.yaml': configMap('hostile', { n: '2' }) });
    for (const words of [...['table', 'json'].map((format) => `plan hostile -o ${format}`), 'diff hostile', `diff ${repo.directory}/`]) {
      const { code, out, err } = await setpoint(`${words} -n ${namespace}`);
      expect(code).toBe(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  }, 240_000);
});

describe('diff of a folder', () => {
  test('is empty where the cluster is as the folder says, and keeps whose an object is', async () => {
    const { repo, url } = await createRepo(git, { 'app/a.yaml': configMap('folder', { n: '1' }) });
    await applyApplication(namespace, 'folder', { source: { repoURL: url, path: 'app', interval: '1h' } });
    await untilSynced(namespace, 'folder', await repo.head());
    expect(await setpoint(`diff ${repo.directory}/app -n ${namespace}`)).toMatchObject({ code: 0, out: '', err: '' });
    writeFileSync(path.join(repo.directory, 'app/a.yaml'), configMap('folder', { n: '2' }));
    const { code, out } = await setpoint(`diff ${repo.directory}/app -n ${namespace}`);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^ConfigMap \S+\/folder \(.*app\/a\.yaml:1:1\)\n--- live\n\+\+\+ files\n@@ .* @@\n apiVersion: v1\n data:\n- {2}"n": "1"\n\+ {2}"n": "2"\n/,
    );
    expect(out).not.toContain('setpoint.dev/application: diff');
    const { metadata } = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'folder' });
    expect(metadata.annotations).toEqual({ 'setpoint.dev/application': `${namespace}/folder` });
  }, 240_000);

  test('reads inputs and refuses what the operator would refuse', async () => {
    const folder = path.join(scratchDirectory(), 'inputs');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'cdk8s.yaml'), 'language: typescript\napp: npx ts-node main.ts\n');
    writeFileSync(
      path.join(folder, 'main.ts'),
      `import { inputs } from '@setpoint/constructs';
import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
new ApiObject(new Chart(app, 'c'), 'o', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'from-inputs' }, data: { env: inputs.env } } as never);
app.synth();
`,
    );
    const inputs = path.join(scratchDirectory(), 'inputs.json');
    writeFileSync(inputs, '{"env":"prod"}');
    const good = await setpoint(`diff ${folder} -n ${namespace} --inputs ${inputs}`);
    expect(good).toMatchObject({ code: 1, err: '', out: expect.stringContaining('+  env: prod\n') });
    const without = await setpoint(`diff ${folder} -n ${namespace}`);
    expect(without.err).toMatch(/main\.ts reads inputs and none are given.*--inputs FILE/);
    writeFileSync(inputs, '{"env":7}');
    const bad = await setpoint(`diff ${folder} -n ${namespace} --inputs ${inputs}`);
    expect(bad).toMatchObject({ code: 1, out: '', err: expect.stringContaining('main.ts:4:1: error InvalidValue: ConfigMap') });
  }, 240_000);
});
