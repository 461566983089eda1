// Inventories on a real API server: what is stored comes back, only what changed is written, and what is damaged is never taken for less.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import { parseApplication } from '../../operator/cluster/applications.ts';
import { chunkIndex } from '../../operator/cluster/inventory-format.ts';
import { createInventoryStore } from '../../operator/cluster/inventory-store.ts';
import type { Application } from '../../operator/model/application.ts';
import type { InventoryEntry } from '../../operator/model/inventory.ts';
import { keyOf, type ObjectKey } from '../../operator/model/object-ref.ts';
import { admin, testNamespace, uniqueName } from '../support/cluster.ts';
import { type Connected, connectThroughProxy, installKinds } from './connected.ts';

const apiVersion = 'setpoint.dev/v1alpha1';
let namespace: string;
let connected: Connected & { readonly proxy: ApiProxy };
let application: Application;

beforeAll(async () => {
  await installKinds();
  namespace = await testNamespace('inventory');
  connected = await connectThroughProxy();
}, 60_000);

beforeEach(async () => {
  application = await createApplication(uniqueName('app'));
  connected.proxy.onRequest = undefined;
  connected.proxy.clear();
});

async function createApplication(name: string): Promise<Application> {
  const object = {
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace },
    spec: { source: { repoURL: 'https://git.example.com/team/manifests.git' } },
  };
  return parseApplication((await admin().create(object)) as never);
}

const store = () => createInventoryStore(connected.client);
const ref = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name });
const keys = (names: readonly string[]): ObjectKey[] => names.map((name) => keyOf(ref(name)));
const names = (count: number) => Array.from({ length: count }, (_, index) => `object-${index}`);
const chunks = async () =>
  (await admin().list(apiVersion, 'Inventory', { namespace })).filter(
    ({ metadata }) => metadata.ownerReferences?.[0]?.uid === application.uid,
  );

function entry(name: string, revision = 'a'.repeat(40)): InventoryEntry {
  const uid = `00000000-0000-4000-8000-${name.padStart(12, '0').slice(-12)}`;
  return {
    ref: ref(name),
    uid,
    digest: 'd'.repeat(64),
    constructPath: `shop/chart/${name}`,
    position: 'apps/web.ts:4:3 < main.ts:9:1',
    revision,
    baseline: { uid, resourceVersion: '123456', generation: 2, fieldsHash: 'abcdef0123456789', time: '2026-01-01T00:00:00Z' },
  };
}

describe('what is stored comes back', () => {
  test('5,000 entries, in chunks far below the limit of etcd, owned by their Application', async () => {
    const entries = names(5_000).map((name) => entry(name));
    await store().save(application, entries, []);
    const loaded = await store().load(application);
    expect(loaded.size).toBe(5_000);
    expect(loaded.get(keyOf(ref('object-4711')))).toEqual(entry('object-4711'));
    const stored = await chunks();
    expect(stored).toHaveLength(64);
    expect(Math.max(...stored.map((chunk) => JSON.stringify(chunk).length))).toBeLessThan(100_000);
    expect(stored[0]?.metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: 'Application', name: application.name, uid: application.uid }),
    ]);
  }, 60_000);

  test('entries without UID, baseline, namespace or position', async () => {
    const bare: InventoryEntry = {
      ref: { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'shop' },
      uid: '',
      digest: '',
      constructPath: '',
      position: '',
      revision: '',
    };
    await store().save(application, [bare], []);
    expect([...(await store().load(application)).values()]).toEqual([bare]);
  });

  test('entries that are replaced and removed', async () => {
    const first = store();
    await first.save(application, [entry('a'), entry('b')], []);
    await first.save(application, [entry('a', 'b'.repeat(40))], keys(['b', 'never-there']));
    expect([...(await store().load(application)).values()]).toEqual([entry('a', 'b'.repeat(40))]);
    expect(await first.load(application)).toEqual(await store().load(application));
  });

  test('an Application with the longest name', async () => {
    application = await createApplication(`${'n'.repeat(200)}.${'m'.repeat(52)}`);
    await store().save(application, [entry('a')], []);
    expect((await store().load(application)).size).toBe(1);
  });

  test('of an Application made anew under the same name, nothing of the old one', async () => {
    await store().save(application, [entry('a')], []);
    expect((await store().load({ ...application, uid: 'another' })).size).toBe(0);
  });
});

describe('cost', () => {
  test('one changed entry of 2,000 writes one chunk, an equal one writes nothing, and loading again asks nothing', async () => {
    const kept = store();
    await kept.save(
      application,
      names(2_000).map((name) => entry(name)),
      [],
    );
    connected.proxy.clear();
    await kept.save(application, [entry('object-7', 'b'.repeat(40))], []);
    expect(connected.proxy.requests.map(({ method }) => method)).toEqual(['PUT']);
    await kept.save(application, [entry('object-7', 'b'.repeat(40)), entry('object-8')], keys(['absent']));
    await kept.load(application);
    expect(connected.proxy.requests).toHaveLength(1);
  }, 90_000);

  test('a new Application with nothing to keep writes nothing', async () => {
    await store().save(application, [], []);
    expect(connected.proxy.writes()).toEqual([]);
  });
});

describe('two writers', () => {
  test('the second is refused, reads again and then succeeds without losing what the first wrote', async () => {
    const [one, two] = [store(), store()];
    await one.save(application, [entry('a')], []);
    await two.load(application);
    await one.save(application, [entry('b')], []);
    await expect(two.save(application, [entry('c')], [])).rejects.toMatchObject({ code: 'ApplyConflict', fate: 'transient' });
    await two.save(application, [entry('c')], []);
    expect([...(await store().load(application)).keys()].sort()).toEqual(keys(['a', 'b', 'c']));
  });
});

describe('interrupted and damaged', () => {
  test('A15 a crash at any write of a split loses nothing, and the next save puts all in order', async () => {
    const many = names(1_500).map((name) => entry(name));
    // 4 chunks become 16: 12 are created, then 4 are rewritten.
    for (const survived of [0, 5, 12, 13, 15]) {
      application = await createApplication(uniqueName('split'));
      await store().save(application, many.slice(0, 500), []);
      let writesLeft = survived;
      connected.proxy.onRequest = ({ method }) =>
        method === 'GET' || writesLeft-- > 0
          ? undefined
          : { respond: { status: 422, body: { kind: 'Status', code: 422, message: 'crashed' } } };
      await expect(store().save(application, many, [])).rejects.toBeDefined();
      connected.proxy.onRequest = undefined;
      const loaded = await store().load(application);
      for (const { ref: owned } of many.slice(0, 500)) expect(loaded.has(keyOf(owned))).toBe(true);
      const [removed] = keys(['object-3']);
      await store().save(application, many, [removed as ObjectKey]);
      const settled = store();
      await settled.save(application, [], [removed as ObjectKey]);
      expect((await store().load(application)).size).toBe(1_499);
      const misplaced = (await chunks()).flatMap((chunk) =>
        (chunk['entries'] as string[])
          .map((text) => JSON.parse(text) as { n: string })
          .filter(({ n }) => chunkIndex(keyOf(ref(n)), chunk['chunk'].of) !== chunk['chunk'].index),
      );
      expect(misplaced).toEqual([]);
    }
  }, 60_000);

  const checkCorrupt = async (why: string): Promise<void> => {
    await expect(store().load(application)).rejects.toMatchObject({
      code: 'InventoryCorrupt',
      fate: 'terminal',
      message: expect.stringContaining(why),
    });
    await expect(store().save(application, [entry('b')], [])).rejects.toMatchObject({ code: 'InventoryCorrupt' });
  };

  test('P9 a chunk that was deleted is missed', async () => {
    await store().save(
      application,
      names(1_500).map((name) => entry(name)),
      [],
    );
    await admin().delete({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-2` });
    await checkCorrupt('chunk 2 of 16 is missing');
  }, 90_000);

  test('P9 an entry that names no object', async () => {
    await store().save(application, [entry('a')], []);
    await admin().patch(
      { apiVersion, kind: 'Inventory', namespace, name: `${application.name}-0` },
      { entries: ['{"v":"v1","k":"ConfigMap"}'] },
    );
    await checkCorrupt('entry 0: it does not name an object');
    await admin().patch({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-0` }, { entries: ['{"v":'] });
    await checkCorrupt('entry 0: it does not name an object');
  }, 90_000);

  test('P9 entries that somebody edited are told from those that were written', async () => {
    await store().save(application, [entry('a'), entry('b')], []);
    const name = `${application.name}-0`;
    const stored = (await admin().get({ apiVersion, kind: 'Inventory', namespace, name }))['entries'] as string[];
    await admin().patch({ apiVersion, kind: 'Inventory', namespace, name }, { entries: stored.slice(1) });
    await checkCorrupt('its entries are not those that were written');
  }, 90_000);

  test('P9 what is intact is salvaged, and what is found again replaces all that is stored', async () => {
    await store().save(
      application,
      names(1_500).map((name) => entry(name)),
      [],
    );
    await admin().delete({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-2` });
    await admin().patch({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-15` }, { entries: ['garbage'] });
    const damaged = (name: string) => [2, 15].includes(chunkIndex(keyOf(ref(name)), 16));
    const intact = names(1_500).filter((name) => !damaged(name));
    const salvaged = await store().salvage(application);
    expect([...salvaged.keys()].sort()).toEqual(keys(intact).sort());
    const lost = { ...entry('object-1'), digest: '', lost: true };
    await store().replace(application, [entry('object-0'), lost]);
    const loaded = await store().load(application);
    expect([...loaded.keys()].sort()).toEqual(keys(['object-0', 'object-1']));
    expect(loaded.get(keyOf(ref('object-1')))).toEqual(lost);
    await store().save(application, [entry('object-3')], []);
    expect((await store().load(application)).size).toBe(3);
  }, 60_000);

  test('L6 what a newer operator wrote is not made anew either', async () => {
    await store().save(application, [entry('a')], []);
    await admin().patch({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-0` }, { schemaVersion: 2 });
    await expect(store().salvage(application)).rejects.toMatchObject({ code: 'InventoryCorrupt' });
  }, 90_000);

  test('L6 a form that a newer operator wrote is refused, not misread', async () => {
    await store().save(application, [entry('a')], []);
    await admin().patch({ apiVersion, kind: 'Inventory', namespace, name: `${application.name}-0` }, { schemaVersion: 2 });
    await checkCorrupt('it was written by a newer operator (schemaVersion 2)');
  });
});
