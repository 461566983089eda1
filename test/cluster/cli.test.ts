// The commands that read a cluster, against the real API server. Statuses are written by the test as the operator would.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { applicationCrd, inventoryCrd } from '../../constructs/crds.ts';
import { registerEvents } from '../../operator/cli/events.ts';
import { registerGet } from '../../operator/cli/get.ts';
import { registerHistory } from '../../operator/cli/history.ts';
import { clusterOpener } from '../../operator/cli/open-cluster.ts';
import { registerValidate } from '../../operator/cli/validate.ts';
import { objectValidator } from '../../operator/cli/validate-objects.ts';
import { registerWait } from '../../operator/cli/wait.ts';
import { registerWhy } from '../../operator/cli/why.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { createInventoryStore } from '../../operator/cluster/inventory-store.ts';
import { createRestClient } from '../../operator/cluster/rest-client.ts';
import type { InventoryEntry } from '../../operator/model/inventory.ts';
import { openSynthesizer } from '../../operator/synth/open-synthesizer.ts';
import { healthy, now, type Recording, recordTerminal, refused } from '../cli/recording.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory, serviceAccountKubeconfig, testNamespace } from '../support/cluster.ts';

const apiVersion = 'setpoint.dev/v1alpha1';
const project = path.resolve(import.meta.dirname, '../..');
let namespace: string;

beforeAll(async () => {
  for (const crd of [applicationCrd(), inventoryCrd()]) await admin().apply(crd);
  namespace = await testNamespace('cli');
  await eventually(() => admin().list(apiVersion, 'Application', { namespace }));
  await createApplication('web', healthy.status);
  await createApplication('typo', refused.status);
}, 60_000);

async function createApplication(name: string, status: object | undefined): Promise<void> {
  const { repoURL } = healthy.spec.source;
  await admin().apply({ apiVersion, kind: 'Application', metadata: { namespace, name }, spec: { source: { repoURL, path: 'apps/web' } } });
  if (status !== undefined) await setStatus(name, status);
}

async function setStatus(name: string, status: object): Promise<void> {
  await admin().patch({ apiVersion, kind: 'Application', namespace, name }, { status }, { subresource: 'status' });
}

/** Runs a command line as a person would type it, with the kubeconfig of the test's admin or another one. */
async function run(words: string, { kubeconfig = kubeconfigPath(), recording = recordTerminal() } = {}): Promise<Recording> {
  const program = new Command('setpoint').exitOverride();
  const deps = { terminal: recording.terminal, exit: recording.exit, openCluster: clusterOpener([kubeconfig]), now: () => now };
  registerValidate(program, {
    ...deps,
    cwd: project,
    openSynthesizer: async () => openSynthesizer(),
    validateObjects: objectValidator([kubeconfig]),
  });
  for (const register of [registerGet, registerHistory, registerWhy, registerEvents, registerWait]) register(program, deps);
  await program.parseAsync(words.split(' '), { from: 'user' });
  return recording;
}

describe('get', () => {
  test('lists the applications of a namespace', async () => {
    const { out, err, code } = await run(`get -n ${namespace}`);
    expect(out.replace(/\b\d[\dsmhdy]*$/gm, 'AGE')).toBe(
      'NAME   SYNC        HEALTH    REVISION   AGE\ntypo   OutOfSync   Healthy   a1b2c3d4   AGE\nweb    Synced      Healthy   a1b2c3d4   AGE\n',
    );
    expect({ err, code }).toEqual({ err: '', code: 0 });
  });

  test('lists those of all namespaces with -A', async () => {
    const { out } = await run('get -A');
    expect(out).toMatch(/^NAMESPACE +NAME/);
    expect(out).toMatch(new RegExp(`^${namespace} +web +Synced`, 'm'));
  });

  test('shows one in words', async () => {
    const { out } = await run(`get web -n ${namespace}`);
    expect(out).toContain(
      `${namespace}/web\nGit says a1b2c3d4 "web: four replicas" (Ada, 5m ago). It is applied. All 4 objects are healthy. Nothing to do.\n`,
    );
    expect(out).toContain('folder apps/web, every 15s\n');
  });

  test('prints the object itself with -o json and -o yaml', async () => {
    const stored = await admin().get({ apiVersion, kind: 'Application', namespace, name: 'web' });
    expect(JSON.parse((await run(`get web -n ${namespace} -o json`)).out)).toEqual(stored);
    const { parse } = await import('yaml');
    expect(parse((await run(`get -n ${namespace} -o yaml`)).out)).toMatchObject({
      kind: 'List',
      items: [{ metadata: { name: 'typo' } }, stored],
    });
  });

  test('names an application that is not there, and what to type', async () => {
    const { err, out, code } = await run(`get no-such-one -n ${namespace}`);
    expect({ err, out, code }).toEqual({
      err: `error: read Application ${namespace}/no-such-one: there is none of that name; list them with: setpoint get -A\n`,
      out: '',
      code: 2,
    });
  });

  test('an empty namespace is no error, and goes to stderr', async () => {
    const { err, out, code } = await run('get -n default');
    expect({ err, out, code }).toEqual({ err: 'no applications found in namespace default; look everywhere with -A\n', out: '', code: 0 });
  });

  test('a person without the right is told which one', async () => {
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'nobody');
    const { err, code } = await run(`get -n ${namespace}`, { kubeconfig });
    expect(err).toContain(
      `error: list Applications in ${namespace}: ServiceAccount ${namespace}/nobody may not list applications.setpoint.dev`,
    );
    expect(code).toBe(2);
  });

  test('the namespace is that of the context when none is given', async () => {
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'nobody');
    expect((await run('get', { kubeconfig })).err).toContain(`list Applications in ${namespace}:`);
  });

  test('an unreachable cluster is an error that names its address', async () => {
    const { writeKubeconfig } = await import('../../dev/control-plane/kubeconfig.ts');
    const kubeconfig = `${scratchDirectory()}/nowhere.kubeconfig`;
    writeKubeconfig(kubeconfig, { url: 'https://127.0.0.1:9', ca: '', token: 'x', user: 'x' });
    const { err, code } = await run('get', { kubeconfig });
    expect(err).toContain('127.0.0.1:9');
    expect(code).toBe(2);
  }, 60_000);
});

describe('validate', () => {
  test('finds nothing wrong with an example', async () => {
    const { out, err, code } = await run(`validate ${project}/examples/multi-environment/apps/shop`);
    expect({ out, err, code }).toEqual({ out: '', err: '4 objects, no findings\n', code: 0 });
  }, 60_000);

  test('finds what the schemas of the cluster refuse, at the line of the construct', async () => {
    const folder = path.join(scratchDirectory(), 'refused');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'cdk8s.yaml'), 'language: typescript\napp: npx ts-node main.ts\n');
    writeFileSync(
      path.join(folder, 'main.ts'),
      `import { ApiObject, App, Chart } from 'cdk8s';
const app = new App();
const chart = new Chart(app, 'web');
const spec = { replica: 3, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } };
new ApiObject(chart, 'web', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
app.synth();
`,
    );
    const { out, err, code } = await run(`validate ${folder} -n ${namespace}`);
    expect(out).toMatch(
      new RegExp(
        `^\\S+main.ts:5:1: error UnknownField: Deployment ${namespace}/web .spec.replica: .*\\n( .*\\n)+ {4}hint: .*replicas.*\\n$`,
      ),
    );
    expect(out).toContain("> 5 | new ApiObject(chart, 'web', {");
    expect({ err, code }).toEqual({ err: '1 object, 1 error\n', code: 1 });
    expect(JSON.parse((await run(`validate ${folder} -n ${namespace} -o json`)).out)).toMatchObject({
      objects: 1,
      findings: [{ code: 'UnknownField', field: '.spec.replica', position: { file: 'main.ts', line: 5, column: 1 } }],
    });
  }, 60_000);

  test('without a cluster says so', async () => {
    const { err, code } = await run(`validate ${project}/examples/web-app --kubeconfig ${project}/nothing`);
    expect(err).toContain(`error: read kubeconfig ${project}/nothing`);
    expect(code).toBe(2);
  }, 60_000);
});

describe('history', () => {
  test('lists syncs and failures, newest first', async () => {
    const { out } = await run(`history web -n ${namespace}`);
    expect(out).toBe(
      'REVISION   RESULT   TRIGGER   AUTHOR   AGE   CHANGES              SUBJECT\na1b2c3d4   Synced   commit    Ada      4m    3 create, 1 update   web: four replicas\n<none>     Failed   spec      <none>   60m   no change\n',
    );
  });
});

describe('why', () => {
  const entry = (name: string): InventoryEntry => ({
    ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name },
    uid: `uid-${name}`,
    digest: 'd',
    constructPath: `shop/${name}`,
    position: 'apps/web/main.ts:12:5 < apps/web/main.ts:20:1',
    revision: healthy.status?.sync?.revision ?? '',
  });

  beforeAll(async () => {
    const stored = await admin().get({ apiVersion, kind: 'Application', namespace, name: 'web' });
    const application = {
      ...healthy,
      ...stored.metadata,
      generation: 1,
      resourceVersion: '',
      annotations: {},
      finalizers: [],
      uid: stored.metadata.uid ?? '',
    };
    const client = createRestClient({ connection: await connectionFromKubeconfig(kubeconfigPath()) });
    // So many that the inventory is cut into chunks.
    const entries = [entry('web'), ...Array.from({ length: 700 }, (_, index) => entry(`other-${index}`))];
    await createInventoryStore(client).save({ ...application, namespace, name: 'web' }, entries, []);
    await client.close();
  });

  test('says which construct, line, commit and author a live object comes from', async () => {
    const { out, code } = await run(`why deploy/web -n ${namespace}`);
    expect(out).toBe(
      `Deployment ${namespace}/web
Construct:    shop/web
Source:       apps/web/main.ts:12:5 < apps/web/main.ts:20:1
Commit:       a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4 web: four replicas
Author:       Ada, 2026-11-23T11:55:00Z (5m ago)
Application:  ${namespace}/web (Synced, Healthy)
Repository:   https://git.example.com/team/manifests.git
Last drift:   none known
`,
    );
    expect(code).toBe(0);
  });

  test('gives the same as JSON', async () => {
    const { out } = await run(`why deployments.apps/other-699 -n ${namespace} -o json`);
    expect(JSON.parse(out)).toMatchObject({
      items: [{ constructPath: 'shop/other-699', application: `${namespace}/web`, commit: { author: 'Ada' } }],
    });
  });

  test('an object that no application owns is a finding of its own', async () => {
    const { out, err, code } = await run(`why cm/kube-root-ca.crt -n ${namespace}`);
    const said = `configmap/kube-root-ca.crt in namespace ${namespace} belongs to no application\n`;
    expect({ out, err, code }).toEqual({ out: '', err: said, code: 1 });
  });

  test('an object that is not there is called absent, not unowned', async () => {
    const { out, err, code } = await run(`why cm/web -n ${namespace}`);
    expect({ out, err, code }).toEqual({ out: '', err: `there is no ConfigMap ${namespace}/web\n`, code: 1 });
  });

  test('who may look at one namespace only is answered from there', async () => {
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'reader');
    const rules = [{ apiGroups: ['setpoint.dev'], resources: ['applications', 'inventories'], verbs: ['get', 'list', 'watch'] }];
    await admin().apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { namespace, name: 'reader' }, rules });
    await admin().apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace, name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'reader' }],
    });
    await eventually(async () =>
      expect((await run(`why deploy/web -n ${namespace}`, { kubeconfig })).out).toContain('Construct:    shop/web\n'),
    );
  });
});

describe('events', () => {
  const event = (name: string, message: string, time: string) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name },
    involvedObject: { apiVersion, kind: 'Application', namespace, name: 'web' },
    type: 'Normal',
    reason: 'Synced',
    message,
    firstTimestamp: time,
    lastTimestamp: time,
  });

  test('lists those of the application, oldest first, and goes on with --watch', async () => {
    await admin().create(event('second', 'later', '2026-11-23T11:59:15Z'));
    await admin().create(event('first', 'earlier', '2026-11-23T11:58:00Z'));
    await admin().create({
      ...event('other', 'of another', '2026-11-23T11:58:00Z'),
      involvedObject: { apiVersion, kind: 'Application', namespace, name: 'typo' },
    });
    const { out } = await run(`events web -n ${namespace}`);
    expect(out).toBe(
      'LAST SEEN   TYPE      REASON                 MESSAGE\n2m          Normal    Synced                 earlier\n45s         Normal    Synced                 later\n',
    );

    const stop = new AbortController();
    const recording = recordTerminal(stop.signal);
    const watching = run(`events web -n ${namespace} --watch`, { recording });
    await eventually(() => expect(recording.out).toContain('later'));
    await admin().create(event('third', 'while watching', '2026-11-23T11:59:59Z'));
    await eventually(() => expect(recording.out).toContain('2026-11-23T11:59:59Z   Normal    Synced                 while watching\n'));
    stop.abort();
    expect((await watching).code).toBe(0);
    expect(recording.out).not.toContain('of another');
  });
});

describe('wait', () => {
  const condition = { status: 'True', reason: 'x', message: '', lastTransitionTime: '2026-11-23T11:57:00Z', observedGeneration: 1 };
  const ready = {
    ...healthy.status,
    conditions: [
      { ...condition, type: 'Synced' },
      { ...condition, type: 'Healthy' },
    ],
  };

  test('returns as soon as the commit is applied and healthy', async () => {
    await createApplication('waited', refused.status);
    const recording = recordTerminal();
    const waiting = run(`wait waited -n ${namespace} --revision a1b2c3d4 --timeout 20s`, { recording });
    await eventually(() =>
      expect(recording.err).toContain('waiting: a1b2c3d4 applied, OutOfSync, Healthy, deadbeef refused: unknown field "replica"'),
    );
    await setStatus('waited', ready);
    expect((await waiting).code).toBe(0);
    expect(recording.out).toMatch(new RegExp(`^${namespace}/waited is healthy at a1b2c3d4 after \\d+\\.\\ds\n$`));
  });

  test('ends at once with the findings when the commit is refused', async () => {
    const { code, err, out } = await run(`wait typo -n ${namespace} --revision deadbeef --timeout 60s`);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`error: deadbeef is refused: ${namespace}/typo stays at a1b2c3d4\n`);
    expect(err).toContain('apps/web/main.ts:12:5: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"\n');
  });

  test('gives up after the timeout with the failing conditions and findings', async () => {
    const { code, err, out } = await run(`wait typo -n ${namespace} --revision cafecafe --timeout 3s`);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`error: ${namespace}/typo is not healthy at cafecafe after 3s\n`);
    expect(err).toContain('Ready=False Stalled=True Synced=False UnknownField: deadbeef is refused: 1 finding\n');
    expect(err).toContain('apps/web/main.ts:12:5: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"\n');
  }, 60_000);

  test('an application that does not exist yet is waited for, one that goes away is an error', async () => {
    const recording = recordTerminal();
    const waiting = run(`wait late -n ${namespace} --for synced --timeout 20s`, { recording });
    await createApplication('late', undefined);
    await eventually(() => expect(recording.err).toContain('waiting: nothing applied'));
    await admin().delete({ apiVersion, kind: 'Application', namespace, name: 'late' });
    expect((await waiting).code).toBe(2);
    expect(recording.err).toContain(`read Application ${namespace}/late: there is none of that name`);
  });

  test('a revision that is no commit id is refused at once', async () => {
    const { code, err } = await run(`wait web -n ${namespace} --revision main`);
    expect({ code, err }).toEqual({
      code: 2,
      err: 'error: wait for revision main: it is no commit id; give 7 or more characters of one: --revision $(git rev-parse HEAD)\n',
    });
  });
});
