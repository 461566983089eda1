// Kinds that come and go on a real API server are told without being asked for.
import { afterAll, expect, test } from '@jest/globals';
import { watchKindChanges } from '../../operator/cluster/kind-changes.ts';
import { admin, eventually, uniqueName } from '../support/cluster.ts';
import { connectThroughProxy } from './connected.ts';

const stop = new AbortController();
afterAll(() => stop.abort());

test('V3 a definition that comes or goes is told, and discovery knows it then; watching alone asks for nothing more', async () => {
  const { client, discovery, proxy } = await connectThroughProxy();
  let told = 0;
  watchKindChanges({ client, discovery, emit: () => undefined, signal: stop.signal }).onChange(() => {
    told += 1;
  });
  await eventually(() => expect(proxy.requests.filter(({ watch }) => watch)).toHaveLength(2));
  expect(told).toBe(0);
  const group = `${uniqueName('g')}.example.com`;
  const known = async (): Promise<boolean> => (await discovery.served()).byKind.has(`${group}/v1|Thing`);
  expect(await known()).toBe(false);
  const ref = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` };
  await admin().apply({
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: ref.name },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
  await eventually(async () => {
    expect(told).toBeGreaterThan(0);
    expect(await known()).toBe(true);
  });
  await admin().delete(ref);
  await eventually(async () => expect(await known()).toBe(false));
  expect(
    proxy.requests
      .filter(({ path }) => path.endsWith('/customresourcedefinitions'))
      .every(({ accept }) => accept?.includes('PartialObjectMetadata')),
  ).toBe(true);
}, 90_000);
