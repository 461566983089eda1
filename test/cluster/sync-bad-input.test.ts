// Each thing a person can get wrong has one sentence in the status that names what, where and what to do next; what was good stays.
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApplicationSpecProps } from '../../constructs/application-schema.ts';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, uniqueName } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('bad');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

const cdk8sYaml = 'language: typescript\napp: npx ts-node main.ts\n';

function app(body: string): Record<string, string> {
  const main = `import { ApiObject, App, Chart } from 'cdk8s';\nconst app = new App();\nconst chart = new Chart(app, 'c');\n${body}\napp.synth();\n`;
  return { 'cdk8s.yaml': cdk8sYaml, 'main.ts': main };
}

function object(fields: string): string {
  return `new ApiObject(chart, 'o', { ${fields} });`;
}

/** A bad commit: what is in it, the reason and the sentence. */
const badCommits: readonly (readonly [string, Readonly<Record<string, string>>, string, RegExp])[] = [
  ['no entry file', { 'cdk8s.yaml': cdk8sYaml }, 'EntryNotFound', /main\.ts/],
  ['a folder without anything', { 'README.md': '# nothing' }, 'EntryNotFound', /./],
  ['a syntax error', app('const = 1;'), 'TypeScriptSyntax', /main\.ts:4:/],
  ['a thrown error', app("throw new Error('no colour chosen');"), 'SynthFailed', /main\.ts:4:\d+: .*no colour chosen/],
  ['an endless loop', app('while (true) {}'), 'SynthTimeout', /./],
  ['a memory bomb', app('const hoard: unknown[] = []; for (;;) hoard.push(new Array(1e6).fill(1));'), 'SynthMemory', /./],
  [
    'an import that does not exist',
    { ...app(''), 'main.ts': "import { x } from './missing';\nconsole.log(x);\n" },
    'ImportNotFound',
    /main\.ts:1:\d+: .*missing/,
  ],
  [
    'a package that is not provided',
    { ...app(''), 'main.ts': "import lodash from 'lodash';\nconsole.log(lodash);\n" },
    'PackageNotProvided',
    /main\.ts:1:\d+: .*lodash/,
  ],
  [
    'an unknown kind',
    app(object("apiVersion: 'example.com/v1', kind: 'Gizmo', metadata: { name: 'g' }")),
    'UnknownKind',
    /main\.ts:4:1: .*Gizmo/,
  ],
  [
    'an unknown field',
    app(object("apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g' }, dta: {}")),
    'UnknownField',
    /main\.ts:4:1: ConfigMap \S+\/g \.dta: .*did you mean "data"/,
  ],
  [
    'a wrong type',
    app(object("apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'g' }, data: { a: 1 }")),
    'InvalidValue',
    /main\.ts:4:1: ConfigMap \S+\/g \.data\.a: /,
  ],
  ['a duplicate object', { 'a.yaml': configMap('same', {}), 'b.yaml': configMap('same', {}) }, 'DuplicateObject', /same/],
  [
    'a server refusal',
    {
      'a.yaml': '{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}],"clusterIP":"not-an-address"}}',
    },
    'ServerRefused',
    /a\.yaml:1:\d+: Service \S+\/s: .*not-an-address/,
  ],
  [
    'a missing permission',
    { 'a.yaml': '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"too-much"},"rules":[]}' },
    'NoPermission',
    /ClusterRole too-much: .*setpoint-applier/,
  ],
  [
    'a namespace that does not exist',
    { 'a.yaml': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"nowhere"}}' },
    'NamespaceNotFound',
    /a\.yaml:1:\d+: ConfigMap nowhere\/c: namespace "nowhere" does not exist/,
  ],
  ['YAML that cannot be parsed', { 'a.yaml': 'kind: [' }, 'InvalidYaml', /a\.yaml:1:/],
];

test('a ServiceAccount that does not exist is named, once, instead of the permissions it lacks', async () => {
  const { url } = await createRepo(git, { 'a.yaml': configMap('unowned-a', { n: '1' }), 'b.yaml': configMap('unowned-b', { n: '1' }) });
  await applyApplication(namespace, 'unowned', { source: { repoURL: url }, serviceAccountName: 'nobody' });
  const { findings } = await untilStatus(namespace, 'unowned', (status) =>
    expect(conditionOf(status, 'Ready')?.reason).toBe('NoPermission'),
  );
  expect(findings).toMatchObject({
    total: 1,
    items: [
      {
        message: `ServiceAccount ${namespace}/nobody does not exist`,
        hint: `create ServiceAccount ${namespace}/nobody, or correct spec.serviceAccountName`,
      },
    ],
  });
}, 60_000);

describe('a bad commit', () => {
  test.each(badCommits)(
    '%s is refused with its reason, and the last good state stays',
    async (_, files, reason, sentence) => {
      const name = uniqueName('app');
      const { repo, url } = await createRepo(git, { 'good.yaml': configMap(`${name}-good`, { a: 'b' }) });
      await applyApplication(namespace, name, { source: { repoURL: url } });
      const good = await repo.head();
      await untilSynced(namespace, name, good);
      const commit = await push(repo, 'bad', { 'good.yaml': undefined, ...files });
      const status = await untilStatus(
        namespace,
        name,
        (current) => {
          expect(current.source?.revision).toBe(commit);
          expect(conditionOf(current, 'Ready')?.reason).toBe(reason);
        },
        40_000,
      );
      const message = conditionOf(status, 'Ready')?.message ?? '';
      expect(message).toMatch(sentence);
      expect(message).toMatch(new RegExp(`^commit ${commit.slice(0, 8)} is refused: .*; the cluster stays at ${good.slice(0, 8)}$`));
      expect(message).not.toMatch(/\n| at Object\.|node_modules|\/work\//);
      expect(status.history?.[0]?.result).toBe('Rejected');
      expect(status.sync?.revision).toBe(good);
      expect(await admin().tryGet({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${name}-good` })).toBeDefined();
      await admin().delete({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name });
    },
    90_000,
  );
});

/** A source that cannot be had: the spec, the reason and the sentence. */
const badSources: readonly (readonly [string, (url: string) => ApplicationSpecProps['source'], string, RegExp])[] = [
  ['a wrong host', () => ({ repoURL: 'http://git.invalid/team/repo.git' }), 'RepositoryUnreachable', /git\.invalid/],
  [
    'a repository that does not exist',
    (url) => ({ repoURL: url.replace(/repo-.*$/, 'nothing.git') }),
    'RepositoryNotFound',
    /nothing\.git/,
  ],
  ['a branch that does not exist', (url) => ({ repoURL: url, ref: 'mian' }), 'RefNotFound', /mian/],
  ['a path that does not exist', (url) => ({ repoURL: url, path: 'apps/shpo' }), 'PathNotFound', /apps\/shpo/],
  ['a Secret that does not exist', (url) => ({ repoURL: url, secretRef: { name: 'absent' } }), 'SecretNotFound', /absent/],
];

describe('a source that cannot be had', () => {
  test.each(badSources)(
    '%s',
    async (_, source, reason, sentence) => {
      const name = uniqueName('app');
      const { url } = await createRepo(git, { 'good.yaml': configMap(`${name}-good`, { a: 'b' }) });
      await applyApplication(namespace, name, { source: source(url) });
      const status = await untilStatus(namespace, name, (current) => expect(conditionOf(current, 'Ready')?.reason).toBe(reason));
      expect(conditionOf(status, 'Ready')?.message).toMatch(sentence);
      expect(conditionOf(status, 'Ready')?.message).toMatch(/nothing was applied$/);
      expect(status.health?.status).toBe('Unknown');
      await admin().delete({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name });
    },
    60_000,
  );

  test('G15 wrong credentials, until they are right', async () => {
    const closed = await startTestGitServer({ auth: { kind: 'basic', username: 'ada', password: 'right' } });
    try {
      const name = `${uniqueName('repo')}.git`;
      await closed.createRepository(name);
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'git-creds' } };
      await admin().apply({ ...secret, stringData: { username: 'ada', password: 'wr0ng-passw0rd' } });
      const credentials = closed.url.replace('http://', 'http://ada:right@');
      const { repo } = await createRepo(git, { 'a.yaml': configMap('private', { a: 'b' }) });
      await repo.git('push', '-q', `${credentials}/${name}`, 'HEAD:main');
      await applyApplication(namespace, 'private', { source: { repoURL: `${closed.url}/${name}`, secretRef: { name: 'git-creds' } } });
      const status = await untilStatus(namespace, 'private', (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('AuthFailed'));
      expect(JSON.stringify(status)).not.toContain('wr0ng-passw0rd');
      await admin().apply({ ...secret, stringData: { username: 'ada', password: 'right' } });
      await untilSynced(namespace, 'private', await repo.head(), 60_000);
      expect(operator.logs().some((line) => JSON.stringify(line).includes('wr0ng-passw0rd'))).toBe(false);
    } finally {
      await closed.close();
    }
  }, 90_000);
});

describe('other Applications', () => {
  test('I10 do not notice a Git server that never answers, an endless loop and a memory bomb', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    for (let index = 0; index < 4; index += 1) {
      await applyApplication(namespace, uniqueName('silent'), { source: { repoURL: `http://127.0.0.1:${port}/${index}.git` } });
      const { url } = await createRepo(
        git,
        app(index % 2 === 0 ? 'while (true) {}' : 'const hoard: unknown[] = []; for (;;) hoard.push(new Array(1e6).fill(1));'),
      );
      await applyApplication(namespace, uniqueName('bomb'), { source: { repoURL: url } });
    }
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('calm', { n: '1' }) });
    await applyApplication(namespace, 'calm', { source: { repoURL: url } });
    await untilSynced(namespace, 'calm', await repo.head(), 60_000);
    silent.close();
  }, 90_000);
});
