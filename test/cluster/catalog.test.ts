// Kinds and schemas of a real API server: what is loaded, what is kept of it, and what is not asked again.
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import { createCatalogLoader } from '../../operator/cluster/catalog.ts';
import { createDiscovery } from '../../operator/cluster/discovery.ts';
import type { CatalogLoader } from '../../operator/reconcile/ports.ts';
import { admin, eventually, uniqueName } from '../support/cluster.ts';
import { type Connected, connectThroughProxy } from './connected.ts';

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
let connected: Connected & { readonly proxy: ApiProxy };
let loader: CatalogLoader;

beforeAll(async () => {
  connected = await connectThroughProxy();
}, 60_000);

beforeEach(() => {
  loader = createCatalogLoader(connected.client, createDiscovery(connected.client));
  connected.proxy.clear();
});

const paths = () => connected.proxy.requests.map(({ path }) => path);

test('a kind comes with its path and scope, and with a schema that holds everything it refers to', async () => {
  const catalog = await loader.load([deployment]);
  expect(catalog.kind('apps/v1', 'Deployment')).toMatchObject({ plural: 'deployments', namespaced: true });
  expect(catalog.kind('v1', 'Namespace')).toMatchObject({ plural: 'namespaces', namespaced: false });
  expect(catalog.kind('apps/v1', 'Nope')).toBeUndefined();
  const { schema, components } = catalog.schema('apps/v1', 'Deployment') ?? {};
  expect(schema).toMatchObject({ type: 'object', properties: { spec: {} } });
  const text = JSON.stringify(components);
  const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => String(match[1]));
  expect(referred.length).toBeGreaterThan(50);
  const { schemas } = components as { schemas: Record<string, object> };
  expect(referred.filter((name) => schemas[name] === undefined)).toEqual([]);
  expect(text).not.toContain('"description":"');
  expect(text).toContain('x-kubernetes-list-type');
});

test('only the documents of the kinds at hand are fetched, by the hash that names their content, and none twice', async () => {
  await loader.load([deployment, { apiVersion: 'v1', kind: 'ConfigMap' }]);
  expect(paths().sort()).toEqual(['/api', '/apis', '/openapi/v3', '/openapi/v3/api/v1', '/openapi/v3/apis/apps/v1']);
  expect(connected.proxy.requests.filter(({ query }) => query.has('hash'))).toHaveLength(2);
  connected.proxy.clear();
  await loader.load([deployment]);
  expect(paths()).toEqual([]);
  await loader.load([deployment], true);
  expect(paths().sort()).toEqual(['/api', '/apis', '/openapi/v3']);
});

test('V4 a kind that was just created is found without being told to look again, and its schema follows its definition', async () => {
  const group = `${uniqueName('g')}.example.com`;
  const things = { apiVersion: `${group}/v1`, kind: 'Thing' };
  const define = (size: object) =>
    admin().apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { size, description: { type: 'string' } } } },
          },
        ],
      },
    });
  expect((await loader.load([things])).kind(things.apiVersion, 'Thing')).toBeUndefined();
  await define({ type: 'integer' });
  try {
    const first = await eventually(async () => {
      const schema = (await loader.load([things], true)).schema(things.apiVersion, 'Thing');
      expect(schema?.schema).toMatchObject({ properties: { size: { type: 'integer' }, description: { type: 'string' } } });
      return schema;
    });
    await define({ type: 'string' });
    await eventually(async () => {
      const schema = (await loader.load([things], true)).schema(things.apiVersion, 'Thing');
      expect(schema?.schema).toMatchObject({ properties: { size: { type: 'string' } } });
      expect(schema?.version).not.toBe(first?.version);
    });
  } finally {
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` });
  }
}, 90_000);

test('A27 a group whose server does not answer is named', async () => {
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
      service: { name: 'nobody', namespace: 'default', port: 443 },
    },
  });
  try {
    await eventually(async () => {
      const { failedGroups } = await loader.load([deployment], true);
      expect(failedGroups.has(group)).toBe(true);
      expect(failedGroups.has('apps')).toBe(false);
    });
  } finally {
    await admin().delete(ref);
  }
});
