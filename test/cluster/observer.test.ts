// The observer on a real API server: what is kept of live objects, how many watches there are, and kinds that come, go or may not be read.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import { createObserver } from '../../operator/cluster/observer.ts';
import type { ObjectObserver } from '../../operator/reconcile/ports.ts';
import { admin, eventually, testNamespace, uniqueName } from '../support/cluster.ts';
import { type Connected, configMap, connectThroughProxy } from './connected.ts';

const label = { 'setpoint.dev/application': 'test' };
let namespace: string;
let connected: Connected & { readonly proxy: ApiProxy };
let stop: AbortController;
let observer: ObjectObserver;
let told: string[];

beforeAll(async () => {
  connected = await connectThroughProxy();
}, 60_000);

beforeEach(async () => {
  namespace = await testNamespace('observer');
  connected.proxy.onRequest = undefined;
  connected.proxy.clear();
  connected.discovery.invalidate();
  stop = new AbortController();
  told = [];
  observer = createObserver({ client: connected.client, discovery: connected.discovery, emit: () => undefined, signal: stop.signal });
  observer.onChange((key, object, previous) => {
    if (key.includes(`|${namespace}|`))
      told.push(`${key.split('|').at(-1)} ${previous === undefined ? 'came' : object === undefined ? 'went' : 'changed'}`);
  });
});

afterEach(() => stop.abort());

const labelled = (name: string, data?: Readonly<Record<string, string>>) => ({
  ...configMap(namespace, name, data),
  metadata: { name, namespace, labels: label },
});
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' };
const deployments = { apiVersion: 'apps/v1', kind: 'Deployment' };
const keyOf = (name: string) => `|ConfigMap|${namespace}|${name}`;
const watches = () => connected.proxy.requests.filter(({ watch }) => watch);

function deployment(name: string) {
  const labels = { app: name };
  const container = { name: 'c', image: 'nginx:1', env: [{ name: 'PASSWORD', value: 'canary-value' }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: label },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
  };
}

describe('what is kept', () => {
  test('of a kind without status only metadata comes over the wire, with managedFields but no value', async () => {
    await admin().apply({ ...labelled('a', { key: 'canary-value' }) }, { fieldManager: 'somebody' });
    await observer.watchKinds([configMaps]);
    const observed = observer.get(keyOf('a'));
    expect(observed).toMatchObject({
      ref: { kind: 'ConfigMap', namespace, name: 'a' },
      labels: label,
      managedFields: [{ manager: 'somebody', operation: 'Apply' }],
    });
    expect(observed?.managedFields[0]?.fieldsV1).toMatchObject({ 'f:data': { 'f:key': {} } });
    expect(JSON.stringify(observed)).not.toContain('canary-value');
    expect(observer.status(keyOf('a'))).toBeUndefined();
    const requests = connected.proxy.requests.filter(({ path }) => path.endsWith('/configmaps'));
    expect(requests.length).toBeGreaterThan(0);
    for (const { accept, query } of requests) {
      expect(accept).toContain('as=PartialObjectMetadata');
      expect(query.get('labelSelector')).toBe('setpoint.dev/application');
    }
  });

  test('T8 of a kind with status the status and the switches of the spec are kept, no value of its users', async () => {
    await admin().apply(deployment('web'));
    await observer.watchKinds([deployments]);
    const key = `apps|Deployment|${namespace}|web`;
    await eventually(() =>
      expect(observer.status(key)).toMatchObject({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        spec: { replicas: 1 },
        status: { readyReplicas: 1 },
      }),
    );
    expect(JSON.stringify([observer.status(key), observer.get(key)?.labels])).not.toContain('canary-value');
  });

  test('objects without our label are not watched, but can be looked at', async () => {
    await admin().create(configMap(namespace, 'foreign'));
    await observer.watchKinds([configMaps]);
    expect(observer.get(keyOf('foreign'))).toBeUndefined();
    expect(await observer.fetch({ ...configMaps, namespace, name: 'foreign' })).toMatchObject({ key: keyOf('foreign'), labels: {} });
    expect(await observer.fetch({ ...configMaps, namespace, name: 'absent' })).toBeUndefined();
  });
});

describe('changes', () => {
  test('are told once each; taking the label away looks like leaving', async () => {
    await observer.watchKinds([configMaps]);
    await admin().apply(labelled('a'));
    await admin().patch({ ...configMaps, namespace, name: 'a' }, { data: { other: 'x' } });
    await admin().patch({ ...configMaps, namespace, name: 'a' }, { metadata: { labels: { 'setpoint.dev/application': null } } });
    await eventually(() => expect(told).toEqual(['a came', 'a changed', 'a went']));
    expect(await observer.fetch({ ...configMaps, namespace, name: 'a' })).toBeDefined();
  });

  test('one watch per kind, however often and by whom it is asked for, and in whatever version', async () => {
    const autoscalers = ['autoscaling/v1', 'autoscaling/v2'].map((apiVersion) => ({ apiVersion, kind: 'HorizontalPodAutoscaler' }));
    await Promise.all([observer.watchKinds([configMaps, ...autoscalers]), observer.watchKinds([configMaps])]);
    await observer.watchKinds([configMaps, ...autoscalers]);
    await eventually(() => expect(watches()).toHaveLength(2));
  });

  test('an unchanged cluster costs no request', async () => {
    await observer.watchKinds([configMaps, deployments]);
    await eventually(() => expect(watches()).toHaveLength(2));
    const before = connected.proxy.requests.length;
    await observer.watchKinds([configMaps, deployments]);
    expect(connected.proxy.requests).toHaveLength(before);
  });
});

describe('kinds', () => {
  function crd(group: string) {
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
  }

  test('a kind that is not served yet has no objects; once it is, it is watched; when it is removed, its objects are gone', async () => {
    const group = `${uniqueName('g')}.example.com`;
    const things = { apiVersion: `${group}/v1`, kind: 'Thing' };
    await observer.watchKinds([things]);
    await admin().apply(crd(group));
    const key = `${group}|Thing|${namespace}|one`;
    await eventually(() => admin().apply({ ...things, metadata: { name: 'one', namespace, labels: label }, status: { phase: 'Fine' } }));
    await eventually(async () => {
      await observer.watchKinds([things]);
      expect(observer.status(key)).toMatchObject({ kind: 'Thing', status: { phase: 'Fine' } });
    });
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` });
    await eventually(() => expect(observer.get(key)).toBeUndefined());
    expect(told).toEqual(['one came', 'one went']);
  }, 90_000);

  test('A28 a 404 for a kind that discovery still names is a failure, not the end of its objects', async () => {
    await admin().apply(labelled('kept'));
    await observer.watchKinds([configMaps]);
    connected.proxy.onRequest = ({ path }) =>
      path.endsWith('/configmaps') ? { respond: { status: 404, body: '404 page not found' } } : undefined;
    connected.proxy.dropConnections();
    await eventually(() => expect(connected.proxy.requests.filter(({ status }) => status === 404).length).toBeGreaterThan(2));
    expect(observer.get(keyOf('kept'))).toBeDefined();
    expect(told).toEqual(['kept came']);
  });

  test('a kind that may not be listed is an error that says so, for it alone', async () => {
    connected.proxy.onRequest = ({ path }) =>
      path.endsWith('/secrets')
        ? {
            respond: {
              status: 403,
              body: {
                kind: 'Status',
                code: 403,
                message:
                  'secrets is forbidden: User "system:serviceaccount:setpoint-system:setpoint" cannot list resource "secrets" in API group "" at the cluster scope',
              },
            },
          }
        : undefined;
    await observer.watchKinds([configMaps]);
    await expect(observer.watchKinds([configMaps, { apiVersion: 'v1', kind: 'Secret' }])).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'watch secrets: ServiceAccount setpoint-system/setpoint may not list secrets at cluster scope',
    });
    connected.proxy.onRequest = undefined;
    await eventually(() => observer.watchKinds([{ apiVersion: 'v1', kind: 'Secret' }]));
  });

  test('A27 a kind of a group whose server does not answer is unknown, not absent', async () => {
    const group = `${uniqueName('g')}.example.com`;
    const ref = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: `v1.${group}` };
    await admin().apply({
      apiVersion: ref.apiVersion,
      kind: ref.kind,
      metadata: { name: ref.name },
      spec: {
        group,
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { name: 'nobody', namespace, port: 443 },
      },
    });
    try {
      await eventually(() =>
        expect(observer.watchKinds([{ apiVersion: `${group}/v1`, kind: 'Thing' }])).rejects.toMatchObject({
          code: 'ApiUnreachable',
          fate: 'transient',
        }),
      );
    } finally {
      await admin().delete(ref);
    }
  });
});
