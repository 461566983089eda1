// Applications on a real API server: what asks for work, how status and finalizer are written.
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import { createApplicationStore } from '../../operator/cluster/applications.ts';
import type { Application, ApplicationStatus } from '../../operator/model/application.ts';
import { applicationKey } from '../../operator/model/application.ts';
import type { ApplicationStore } from '../../operator/reconcile/ports.ts';
import { admin, eventually, testNamespace, uniqueName } from '../support/cluster.ts';
import { type Connected, connectThroughProxy, installKinds } from './connected.ts';

const apiVersion = 'setpoint.dev/v1alpha1';
let namespace: string;
let connected: Connected & { readonly proxy: ApiProxy };
let store: ApplicationStore;
let stop: AbortController;
let told: string[];
let name: string;

beforeAll(async () => {
  await installKinds();
  namespace = await testNamespace('applications');
  connected = await connectThroughProxy();
}, 60_000);

beforeEach(async () => {
  stop = new AbortController();
  told = [];
  name = uniqueName('app');
  store = createApplicationStore({ client: connected.client, emit: () => undefined, namespaces: [namespace] });
  await store.start((key) => void told.push(key), stop.signal);
  told.splice(0);
});

afterEach(() => stop.abort());

const ref = () => ({ apiVersion, kind: 'Application', namespace, name });

async function create(): Promise<Application> {
  await admin().create({
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace },
    spec: { source: { repoURL: 'https://git.example.com/team/manifests.git' } },
  });
  return eventually(known);
}

function known(): Application {
  const application = store.get(`${namespace}/${name}`);
  if (application === undefined) throw new Error('not known yet');
  return application;
}

const status = { observedGeneration: 1, conditions: [] } as unknown as ApplicationStatus;
const statusWrites = () => connected.proxy.writes().filter(({ path }) => path.endsWith(`/${name}/status`));

test('an Application comes with the defaults of its schema, and in namespaces that are not served it is not there', async () => {
  const application = await create();
  expect(application).toMatchObject({ generation: 1, finalizers: [], annotations: {}, spec: { sync: { prune: true, selfHeal: true } } });
  const other = await testNamespace('not-served');
  await admin().create({
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace: other },
    spec: { source: { repoURL: 'https://git.example.com/x.git' } },
  });
  await admin().patch(ref(), { metadata: { annotations: { later: 'x' } } });
  await eventually(() => expect(known().annotations).toEqual({ later: 'x' }));
  expect(store.list().map(applicationKey)).not.toContain(`${other}/${name}`);
});

test('spec, annotations, deletion and removal ask for work; a status does not', async () => {
  const application = await create();
  const key = applicationKey(application);
  expect(told).toEqual([key]);
  await store.writeStatus(application, status);
  await eventually(() => expect(known().status).toMatchObject({ observedGeneration: 1 }));
  expect(told).toEqual([key]);
  await admin().patch(ref(), { spec: { source: { ref: 'main' } } });
  await eventually(() => expect(told).toEqual([key, key]));
  await admin().patch(ref(), { metadata: { annotations: { 'setpoint.dev/reconcile-requested': 'now' } } });
  await eventually(() => expect(told).toEqual([key, key, key]));
  await admin().delete(ref());
  await eventually(() => expect(told).toEqual([key, key, key, key]));
  expect(store.get(key)).toBeUndefined();
});

test('an equal status is not written again, even before the watch has brought the first one back', async () => {
  const application = await create();
  await store.writeStatus(application, status);
  await store.writeStatus(application, status);
  expect(statusWrites()).toHaveLength(1);
  await store.writeStatus(application, { ...status, observedGeneration: 2 });
  await store.writeStatus(application, status);
  expect(statusWrites()).toHaveLength(3);
});

test('a status replaces the former one whole', async () => {
  const application = await create();
  await store.writeStatus(application, { ...status, history: [] } as unknown as ApplicationStatus);
  await store.writeStatus(application, status);
  expect((await admin().get(ref()))['status']).toEqual({ observedGeneration: 1, conditions: [] });
});

test('a status that somebody else changed is put right', async () => {
  const application = await create();
  await store.writeStatus(application, status);
  await admin().patch(ref(), { status: { observedGeneration: 99 } }, { subresource: 'status' });
  await eventually(() => expect(known().status).toMatchObject({ observedGeneration: 99 }));
  await store.writeStatus(known(), status);
  expect((await admin().get(ref()))['status'].observedGeneration).toBe(1);
});

test('the status of an Application that is gone, or was made anew under its name, is not written', async () => {
  const application = await create();
  await store.writeStatus({ ...application, uid: '4f2c5a3e-0000-4000-8000-000000000000' }, status);
  expect((await admin().get(ref()))['status']).toBeUndefined();
  await admin().delete(ref());
  await store.writeStatus(application, status);
});

test('the finalizer is added and removed once, beside those of others, although the Application changed meanwhile', async () => {
  const application = await create();
  await admin().patch(ref(), { metadata: { finalizers: ['example.com/other'] } });
  await store.setFinalizer(application, true);
  expect((await admin().get(ref())).metadata.finalizers).toEqual(['example.com/other', 'setpoint.dev/finalizer']);
  await eventually(() => expect(known().finalizers).toHaveLength(2));
  connected.proxy.clear();
  await store.setFinalizer(known(), true);
  expect(connected.proxy.writes()).toEqual([]);
  await store.setFinalizer(known(), false);
  expect((await admin().get(ref())).metadata.finalizers).toEqual(['example.com/other']);
  await admin().patch(ref(), { metadata: { finalizers: null } });
});
