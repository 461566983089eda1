// The Application's CRD on a real API server: what admission accepts, defaults and refuses, and what kubectl shows.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { applicationCrd, inventoryCrd } from '../../constructs/crds.ts';
import { admin, eventually, kubectl, testNamespace } from '../support/cluster.ts';

const apiVersion = 'setpoint.dev/v1alpha1';
const repoURL = 'https://git.example.com/team/manifests.git';
let namespace: string;

beforeAll(async () => {
  for (const crd of [applicationCrd(), inventoryCrd()]) await admin().apply(crd);
  namespace = await testNamespace('crd');
  await eventually(() => admin().list(apiVersion, 'Application', { namespace }));
  await eventually(() => admin().list(apiVersion, 'Inventory', { namespace }));
}, 60_000);

interface SpecOverrides {
  readonly source?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

function application(name: string, { source, ...spec }: SpecOverrides = {}) {
  return { apiVersion, kind: 'Application', metadata: { name, namespace }, spec: { source: { repoURL, ...source }, ...spec } };
}

async function checkAccepted(overrides: SpecOverrides): Promise<void> {
  const { spec } = await admin().apply(application('accepted', overrides), { dryRun: true });
  expect(spec).toMatchObject({ ...overrides, source: { repoURL, ...overrides.source } });
}

/** The server's sentence about one field, without the value it quotes. */
async function checkRefused(overrides: SpecOverrides, field: string, message: string): Promise<void> {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/applications?dryRun=All`;
  const answer = admin().raw(path, { method: 'POST', body: application('refused', overrides) });
  const refusal = await answer.then(
    () => 'accepted',
    (error: Error) => error.message,
  );
  expect(refusal).toContain(field);
  expect(refusal).toContain(message);
}

describe('accepts', () => {
  test.each<[string, SpecOverrides]>([
    ['only a repoURL', {}],
    ['plain http', { source: { repoURL: 'http://git.example.com:3000/team/manifests' } }],
    ['an address by number', { source: { repoURL: 'http://127.0.0.1:8080/manifests.git' } }],
    ['an IPv6 address', { source: { repoURL: 'https://[2001:db8::1]/manifests.git' } }],
    ['an @ in the path of the URL', { source: { repoURL: 'https://git.example.com/@team/manifests.git' } }],
    ['a branch with slashes', { source: { ref: 'feature/new-shop' } }],
    ['a full ref', { source: { ref: 'refs/heads/main' } }],
    ['a commit id', { source: { ref: 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678' } }],
    ['a tag', { source: { ref: 'v1.2.3' } }],
    ['a caret range over tags', { source: { ref: '^1.2' } }],
    ['a comparison over tags', { source: { ref: '>=1.2.0' } }],
    ['the root of the repository', { source: { path: '.' } }],
    ['a folder with dots in its name', { source: { path: 'apps/..shop/v1..2' } }],
    ['a folder with a space in its name', { source: { path: 'my apps/shop' } }],
    ['an entry file', { source: { entry: 'src/main.ts' } }],
    ['inputs of any shape', { source: { inputs: { env: 'prod', replicas: 3, nested: { list: [1, 'two', null, true] } } } }],
    ['the smallest interval', { source: { interval: '1s' } }],
    ['an interval of several units', { source: { interval: '1h30m' } }],
    ['a Secret', { source: { secretRef: { name: 'git-creds' } } }],
    ['another namespace', { destination: { namespace: 'shop' } }],
    ['a ServiceAccount', { serviceAccountName: 'shop.deployer-1' }],
    ['everything of sync', { sync: { prune: false, selfHeal: false, allowEmpty: true, maxPrunePercent: 100, timeout: '90s' } }],
    [
      'differences that others decide',
      {
        sync: {
          ignoreDifferences: [
            {
              group: 'apps',
              kind: 'Deployment',
              name: 'web',
              namespace: 'shop',
              jsonPointers: ['/spec/replicas', '/metadata/labels/a~1b'],
            },
            { group: '', kind: '*', managers: ['kube-controller-manager'] },
          ],
          conflicts: 'Fail',
          extraFields: 'Ignore',
          strip: [{ managers: ['kubectl-set'] }, { kind: 'ConfigMap', paths: ['.metadata.annotations.note'] }],
        },
      },
    ],
    ['orphaning', { deletionPolicy: 'Orphan', suspend: true, historyLimit: 0 }],
  ])('%s', async (_, overrides) => checkAccepted(overrides));
});

describe('refuses', () => {
  const scheme = 'must start with https:// or http://; file:, git:, ssh: and user@host:path addresses are not accepted';
  const duration = 'must be a duration between 1s and 24h, such as 15s, 5m or 1h30m';
  const name = "must be a name as Kubernetes writes it: lower-case letters, digits, '-' and '.', without '/' or ':'";
  const gitName = 'must be a name that Git accepts';

  test.each<[string, SpecOverrides, string, string]>([
    ...(
      [
        ['without a slash', { jsonPointers: ['spec/replicas'] }, "must start with '/', such as /spec/replicas"],
        ['with a bare ~', { jsonPointers: ['/data/~user'] }, "must not hold '~' but in ~0 (for ~) and ~1 (for /)"],
        ['to the whole object', { jsonPointers: ['/'] }, 'must lead to something else than what names the object'],
        ['to the name', { jsonPointers: ['/metadata/name'] }, 'must lead to something else than what names the object'],
        ['of nothing', {}, 'must name jsonPointers or managers'],
        ['of no pointers', { jsonPointers: [] }, 'must name jsonPointers or managers'],
        ['of Setpoint itself', { managers: ['setpoint'] }, 'must be another field manager than Setpoint itself'],
      ] as const
    ).map(([what, entry, message]): [string, SpecOverrides, string, string] => [
      `ignored differences ${what}`,
      { sync: { ignoreDifferences: [{ kind: 'Deployment', ...entry }] } },
      'spec.sync.ignoreDifferences[0]',
      message,
    ]),
    [
      'ignored differences of no kind',
      { sync: { ignoreDifferences: [{ managers: ['x'] }] } },
      'ignoreDifferences[0].kind',
      'Required value',
    ],
    ['a strip of nothing', { sync: { strip: [{ kind: 'Service' }] } }, 'spec.sync.strip[0]', 'must name managers or paths'],
    [
      'a strip of a pointer',
      { sync: { strip: [{ paths: ['/metadata/labels'] }] } },
      'spec.sync.strip[0].paths[0]',
      'must be a path as status.extraFields shows it, such as .metadata.annotations.note',
    ],
    ['unknown words about conflicts', { sync: { conflicts: 'Merge' } }, 'spec.sync.conflicts', 'Unsupported value'],
    ['unknown words about extra fields', { sync: { extraFields: 'Strip' } }, 'spec.sync.extraFields', 'Unsupported value'],
    ['G18 a file: URL', { source: { repoURL: 'file:///etc' } }, 'spec.source.repoURL', scheme],
    ['G18 a git: URL', { source: { repoURL: 'git://git.example.com/x' } }, 'spec.source.repoURL', scheme],
    ['an ssh: URL', { source: { repoURL: 'ssh://git@git.example.com/x' } }, 'spec.source.repoURL', scheme],
    ['a user@host:path address', { source: { repoURL: 'git@git.example.com:team/x.git' } }, 'spec.source.repoURL', scheme],
    ['a bare path', { source: { repoURL: '/srv/git/x.git' } }, 'spec.source.repoURL', scheme],
    ['an ext:: helper', { source: { repoURL: 'ext::sh -c id' } }, 'spec.source.repoURL', scheme],
    ['an empty URL', { source: { repoURL: '' } }, 'spec.source.repoURL', 'should be at least 1 chars long'],
    ['no URL', { source: { repoURL: undefined } }, 'spec.source.repoURL', 'Required value'],
    [
      'a password in the URL',
      { source: { repoURL: 'https://me:pw@git.example.com/x' } },
      'spec.source.repoURL',
      'must not hold a user name or password',
    ],
    [
      'a token in the URL',
      { source: { repoURL: 'https://token@git.example.com/x' } },
      'spec.source.repoURL',
      'put them into a Secret and name it in secretRef',
    ],
    ['a URL without a host', { source: { repoURL: 'https:///x' } }, 'spec.source.repoURL', 'must name a host'],
    [
      'a space in the URL',
      { source: { repoURL: 'https://git.example.com/a b' } },
      'spec.source.repoURL',
      'must not hold spaces, control characters or backslashes',
    ],
    [
      'a line break in the URL',
      { source: { repoURL: 'https://git.example.com/a\nb' } },
      'spec.source.repoURL',
      'must not hold spaces, control characters',
    ],
    ['a backslash in the URL', { source: { repoURL: 'https://git.example.com\\@evil/x' } }, 'spec.source.repoURL', 'backslashes'],
    [
      'a query in the URL',
      { source: { repoURL: 'https://git.example.com/x?private_token=1' } },
      'spec.source.repoURL',
      "must not hold a query ('?')",
    ],
    [
      'a URL without end',
      { source: { repoURL: `https://git.example.com/${'x'.repeat(1024)}` } },
      'spec.source.repoURL',
      'may not be more than 1024 bytes',
    ],
    ['G22 an option as ref', { source: { ref: '--upload-pack=touch /tmp/x' } }, 'spec.source.ref', "must not start with '-'"],
    ['G22 dots in a ref', { source: { ref: 'refs/../x' } }, 'spec.source.ref', "must not hold '..'"],
    [
      'G22 a line break in a ref',
      { source: { ref: 'main\nrefs/heads/x' } },
      'spec.source.ref',
      'must not hold spaces or control characters',
    ],
    ['G22 a space in a ref', { source: { ref: 'main x' } }, 'spec.source.ref', 'must not hold spaces or control characters'],
    ['G22 a NUL in a ref', { source: { ref: 'main\u0000' } }, 'spec.source.ref', 'must not hold spaces or control characters'],
    ['G22 a colon in a ref', { source: { ref: 'main:x' } }, 'spec.source.ref', gitName],
    ['G22 a reflog expression as ref', { source: { ref: 'main@{1}' } }, 'spec.source.ref', gitName],
    ['G22 a backslash in a ref', { source: { ref: 'a\\b' } }, 'spec.source.ref', gitName],
    ['G22 a ref that ends with .lock', { source: { ref: 'main.lock' } }, 'spec.source.ref', gitName],
    ['an empty ref', { source: { ref: '' } }, 'spec.source.ref', 'should be at least 1 chars long'],
    ['G23 an absolute path', { source: { path: '/etc' } }, 'spec.source.path', "remove the leading '/'"],
    ['G23 a path that leaves the repository', { source: { path: '../../etc' } }, 'spec.source.path', "'..' is not accepted"],
    ['G23 .. in the middle of a path', { source: { path: 'apps/../../etc' } }, 'spec.source.path', "'..' is not accepted"],
    ['G23 .. at the end of a path', { source: { path: 'apps/..' } }, 'spec.source.path', "'..' is not accepted"],
    ['G23 backslashes in a path', { source: { path: 'apps\\..\\..' } }, 'spec.source.path', 'backslashes'],
    ['a NUL in a path', { source: { path: 'apps\u0000' } }, 'spec.source.path', 'control characters'],
    ['an empty path', { source: { path: '' } }, 'spec.source.path', 'should be at least 1 chars long'],
    ['an absolute entry', { source: { entry: '/main.ts' } }, 'spec.source.entry', "remove the leading '/'"],
    ['an entry outside path', { source: { entry: '../main.ts' } }, 'spec.source.entry', "'..' is not accepted"],
    ['inputs that are no object', { source: { inputs: ['prod'] } }, 'spec.source.inputs', 'must be of type object'],
    ['a negative interval', { source: { interval: '-15s' } }, 'spec.source.interval', duration],
    ['an interval of zero', { source: { interval: '0s' } }, 'spec.source.interval', duration],
    ['an interval below a second', { source: { interval: '900ms' } }, 'spec.source.interval', duration],
    ['an interval beyond a day', { source: { interval: '25h' } }, 'spec.source.interval', duration],
    ['an interval beyond all numbers', { source: { interval: '999999h999999h9h' } }, 'spec.source.interval', duration],
    [
      'an interval of many digits',
      { source: { interval: '99999999999999999999s' } },
      'spec.source.interval',
      'may not be more than 16 bytes',
    ],
    ['an interval without a unit', { source: { interval: '15' } }, 'spec.source.interval', duration],
    ['an interval that is no text', { source: { interval: 15 } }, 'spec.source.interval', 'must be of type string'],
    ['a Secret without a name', { source: { secretRef: {} } }, 'spec.source.secretRef.name', 'Required value'],
    ['a Secret of another namespace', { source: { secretRef: { name: 'other/creds' } } }, 'spec.source.secretRef.name', name],
    [
      'a namespace that is no name',
      { destination: { namespace: 'Shop.1' } },
      'spec.destination.namespace',
      'must be the name of a namespace',
    ],
    ['a ServiceAccount of another namespace', { serviceAccountName: 'kube-system/admin' }, 'spec.serviceAccountName', name],
    ['a user as ServiceAccount', { serviceAccountName: 'system:masters' }, 'spec.serviceAccountName', name],
    ['an empty ServiceAccount', { serviceAccountName: '' }, 'spec.serviceAccountName', 'should be at least 1 chars long'],
    ['a share beyond 100 percent', { sync: { maxPrunePercent: 101 } }, 'spec.sync.maxPrunePercent', 'should be less than or equal to 100'],
    ['a share below nothing', { sync: { maxPrunePercent: -1 } }, 'spec.sync.maxPrunePercent', 'should be greater than or equal to 0'],
    ['a timeout of zero', { sync: { timeout: '0s' } }, 'spec.sync.timeout', duration],
    ['a text for a switch', { sync: { prune: 'yes' } }, 'spec.sync.prune', 'must be of type boolean'],
    ['an unknown deletionPolicy', { deletionPolicy: 'Keep' }, 'spec.deletionPolicy', 'supported values: "Delete", "Orphan"'],
    ['a negative historyLimit', { historyLimit: -1 }, 'spec.historyLimit', 'should be greater than or equal to 0'],
    ['a historyLimit beyond what fits', { historyLimit: 101 }, 'spec.historyLimit', 'should be less than or equal to 100'],
  ])('%s', async (_, overrides, field, message) => checkRefused(overrides, field, message));

  test('a field it does not know, when asked strictly as kubectl does', async () => {
    const manifest = JSON.stringify(application('unknown', { project: 'default' }));
    await expect(kubectl(['create', '--dry-run=server', '-f', '-'], { input: manifest })).rejects.toThrow('unknown field "spec.project"');
  });

  test('all that is wrong at once', async () => {
    const everything = { source: { repoURL: 'file:///x', ref: '-x', path: '/x', interval: '0s' }, deletionPolicy: 'Keep' };
    for (const field of ['repoURL', 'ref', 'path', 'interval'])
      await checkRefused({ ...everything, deletionPolicy: 'Delete' }, `spec.source.${field}`, '');
    await checkRefused(everything, 'spec.deletionPolicy', '');
  });
});

describe('stores', () => {
  test('every default', async () => {
    const { spec } = await admin().apply(application('defaults'), { dryRun: true });
    expect(spec).toEqual({
      source: { repoURL, path: '.', interval: '15s', requireFastForward: false },
      serviceAccountName: 'setpoint-applier',
      sync: {
        conflicts: 'Force',
        extraFields: 'Report',
        prune: true,
        selfHeal: true,
        allowEmpty: false,
        maxPrunePercent: 50,
        timeout: '5m',
      },
      deletionPolicy: 'Delete',
      suspend: false,
      historyLimit: 20,
    });
  });

  test('status only through its subresource', async () => {
    await admin().apply({ ...application('subresource'), status: { observedGeneration: 7 } });
    const ref = { apiVersion, kind: 'Application', namespace, name: 'subresource' };
    expect((await admin().get(ref)).status).toBeUndefined();
    await admin().patch(ref, { status: { observedGeneration: 1 } }, { subresource: 'status' });
    expect((await admin().get(ref)).status).toEqual({ observedGeneration: 1 });
  });

  test('inventory entries, as texts', async () => {
    const entries = [JSON.stringify({ v: 'v1', k: 'ConfigMap', n: 'a', u: 'u', b: { g: 3 } })];
    const inventory = { apiVersion, kind: 'Inventory', metadata: { name: 'shop-0', namespace }, chunk: { index: 0, of: 1 }, entries };
    await admin().create(inventory);
    expect(await admin().get({ apiVersion, kind: 'Inventory', namespace, name: 'shop-0' })).toMatchObject({
      chunk: { index: 0, of: 1 },
      entries,
    });
  });
});

describe('kubectl shows', () => {
  const status = {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Synced',
        message: 'all is well',
        lastTransitionTime: '2026-01-02T03:04:05Z',
        observedGeneration: 1,
      },
    ],
    source: { revision: 'a1b2c3d4', author: 'Ada', date: '2026-01-02T03:04:05Z', subject: 'raise replicas', ref: 'refs/heads/main' },
    sync: { status: 'Synced', revision: 'a1b2c3d4' },
    health: { status: 'Healthy' },
  };
  beforeAll(async () => {
    await admin().apply(application('shown'));
    await admin().patch({ apiVersion, kind: 'Application', namespace, name: 'shown' }, { status }, { subresource: 'status' });
  });

  test('SYNC, HEALTH, REVISION and AGE', async () => {
    const [header, row] = (await kubectl(['get', 'app', 'shown', '-n', namespace])).split('\n');
    expect(header?.trim().split(/ {2,}/)).toEqual(['NAME', 'SYNC', 'HEALTH', 'REVISION', 'AGE']);
    expect(row?.trim().split(/ {2,}/).slice(0, 4)).toEqual(['shown', 'Synced', 'Healthy', 'a1b2c3d4']);
  });

  test('MESSAGE and AUTHOR too with -o wide', async () => {
    const [header, row] = (await kubectl(['get', 'app', 'shown', '-n', namespace, '-o', 'wide'])).split('\n');
    expect(header?.trim().split(/ {2,}/)).toEqual(['NAME', 'SYNC', 'HEALTH', 'REVISION', 'AGE', 'MESSAGE', 'AUTHOR']);
    expect(row?.trim().split(/ {2,}/).slice(5)).toEqual(['all is well', 'Ada']);
  });

  test('Applications and inventories by category', async () => {
    expect(await kubectl(['get', 'setpoint', '-n', namespace, '-o', 'name'])).toContain('application.setpoint.dev/shown');
  });

  test('the documentation of every field of the spec', async () => {
    const explained = await kubectl(['explain', 'app.spec.source.repoURL', '--api-version', apiVersion]);
    expect(explained).toContain('never into the');
  });

  test('kubectl wait ends when Ready is True', async () => {
    expect(await kubectl(['wait', '--for=condition=Ready', 'app/shown', '-n', namespace, '--timeout=10s'])).toContain('condition met');
  });
});
