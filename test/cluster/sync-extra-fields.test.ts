// Fields that others add to our objects: told, left alone, or taken away again, by managedFields alone.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { conditionOf, getApplication, untilStatus } from '../support/application.ts';
import { admin, eventually, kubectl } from '../support/cluster.ts';
import { type DeclaredObject, type DriftWorld, startDriftWorld } from '../support/drift-world.ts';

let world: DriftWorld;

beforeAll(async () => {
  world = await startDriftWorld('extra');
}, 90_000);

afterAll(() => world?.stop(), 60_000);

function deployment(name: string, pod: object = {}): DeclaredObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx:1' }], ...pod } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: labels }, template } };
}

const settings = (name: string, data: Readonly<Record<string, string>> = { colour: 'red' }): DeclaredObject => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
};

/** `manager: fields` of each entry of the status. */
function told({ extraFields }: ApplicationStatus): string[] {
  return (extraFields?.items ?? []).map(({ object, manager, fields }) => `${object.name} ${manager}: ${fields.join(' ')}`);
}

const untilTold = (name: string, expected: readonly string[]) =>
  untilStatus(world.namespace, name, (status) => expect(told(status)).toEqual(expected));

describe('reported', () => {
  test('an env var and an annotation that kubectl adds are listed with exact paths and who did it; nothing is written', async () => {
    const web = deployment('kubectl');
    const subject = await world.start('kubectl', [web]);
    await kubectl(['set', 'env', 'deployment/kubectl', 'DEBUG=secret-canary', '-n', world.namespace]);
    await kubectl(['annotate', 'deployment/kubectl', 'example.com/note=by hand', '-n', world.namespace]);
    await untilTold('kubectl', [
      'kubectl kubectl-annotate: .metadata.annotations["example.com/note"]',
      'kubectl kubectl-set: .spec.template.spec.containers[name="web"].env[name="DEBUG"]',
    ]);
    const { metadata, spec } = await admin().get(subject.ref(web));
    expect(metadata.annotations).toMatchObject({ 'example.com/note': 'by hand' });
    expect(spec.template.spec.containers[0].env).toEqual([{ name: 'DEBUG', value: 'secret-canary' }]);
    const status = await untilStatus(world.namespace, 'kubectl', (current) => expect(conditionOf(current, 'Synced')?.status).toBe('True'));
    expect(status.drift ?? []).toEqual([]);
    expect(status.extraFields?.items[0]).toMatchObject({ operation: 'Update', time: expect.stringMatching(/^2\d{3}-/) });
    expect(JSON.stringify([status, world.operator.logs()])).not.toContain('secret-canary');
    await kubectl(['annotate', 'deployment/kubectl', 'example.com/note-', '-n', world.namespace]);
    await untilTold('kubectl', ['kubectl kubectl-set: .spec.template.spec.containers[name="web"].env[name="DEBUG"]']);
  }, 120_000);

  test("what the cluster's own controllers, kubectl's bookkeeping and rollout restart add is not told", async () => {
    const web = deployment('routine');
    const subject = await world.start('routine', [web, settings('routine-marker')]);
    await kubectl(['rollout', 'restart', 'deployment/routine', '-n', world.namespace]);
    await admin().patch(subject.ref(web), { spec: { replicas: 2 } }, { subresource: 'scale', fieldManager: 'kube-controller-manager' });
    await admin().patch(subject.ref(web), { metadata: { finalizers: ['example.com/hold'] } }, { fieldManager: 'some-controller' });
    try {
      await kubectl(['label', 'configmap/routine-marker', 'seen=yes', '-n', world.namespace]);
      const status = await untilTold('routine', ['routine-marker kubectl-label: .metadata.labels.seen']);
      expect(status.drift ?? []).toEqual([]);
      const { spec } = await admin().get(subject.ref(web));
      expect(spec.replicas).toBe(2);
      expect(spec.template.metadata.annotations).toHaveProperty(['kubectl.kubernetes.io/restartedAt']);
    } finally {
      await admin().patch(subject.ref(web), { metadata: { finalizers: null } }, { fieldManager: 'some-controller' });
    }
  }, 120_000);

  test('a label on a kind that counts generations, which moves none, is listed too, and taken off the list with it', async () => {
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed' }, spec: { podSelector: {} } };
    const subject = await world.start('closed', [policy]);
    const { generation } = (await admin().get(subject.ref(policy))).metadata;
    world.proxy.clear();
    await kubectl(['label', 'networkpolicy/closed', 'seen=yes', '-n', world.namespace]);
    await untilTold('closed', ['closed kubectl-label: .metadata.labels.seen']);
    expect((await admin().get(subject.ref(policy))).metadata.generation).toBe(generation);
    await kubectl(['label', 'networkpolicy/closed', 'seen-', '-n', world.namespace]);
    await untilTold('closed', []);
    expect(world.writesTo(policy)).toEqual([]);
    await subject.configure({ strip: [{ paths: ['.metadata.labels.seen'] }] });
    await kubectl(['label', 'networkpolicy/closed', 'seen=again', '-n', world.namespace]);
    await eventually(async () => expect((await admin().get(subject.ref(policy))).metadata.labels).not.toHaveProperty('seen'));
    await untilStatus(world.namespace, 'closed', ({ drift }) => expect(drift).toMatchObject([{ kind: 'added', healed: true }]));
  }, 120_000);

  test('with Ignore nothing is listed; an ignored manager is not listed either', async () => {
    const object = settings('quiet');
    const subject = await world.start('quiet', [object]);
    await admin().patch(subject.ref(object), { data: { theirs: 'x' } }, { fieldManager: 'injector' });
    await untilTold('quiet', ['quiet injector: .data.theirs']);
    await subject.configure({ ignoreDifferences: [{ kind: 'ConfigMap', managers: ['injector'] }] });
    await untilTold('quiet', []);
    await subject.configure({});
    await untilTold('quiet', ['quiet injector: .data.theirs']);
    await subject.configure({ extraFields: 'Ignore' });
    await untilTold('quiet', []);
    expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', theirs: 'x' });
  }, 120_000);
});

describe('stripped', () => {
  test('what a named manager adds is removed by exactly one patch, attributed, and told as healed', async () => {
    const web = deployment('stripped');
    const subject = await world.start('stripped', [web], { strip: [{ managers: ['kubectl-set'] }] });
    await kubectl(['annotate', 'deployment/stripped', 'example.com/note=stays', '-n', world.namespace]);
    await untilTold('stripped', ['stripped kubectl-annotate: .metadata.annotations["example.com/note"]']);
    world.proxy.clear();
    await kubectl(['set', 'env', 'deployment/stripped', 'DEBUG=1', 'TRACE=1', '-n', world.namespace]);
    await eventually(async () => {
      const { spec, metadata } = await admin().get(subject.ref(web));
      expect(spec.template.spec.containers[0].env ?? []).toEqual([]);
      expect(metadata.annotations).toMatchObject({ 'example.com/note': 'stays' });
    });
    const status = await untilStatus(world.namespace, 'stripped', ({ drift }) => expect(drift).toHaveLength(1));
    expect(status.drift?.[0]).toMatchObject({
      kind: 'added',
      manager: 'kubectl-set',
      healed: true,
      fields: [
        '.spec.template.spec.containers[name="web"].env[name="DEBUG"]',
        '.spec.template.spec.containers[name="web"].env[name="TRACE"]',
      ],
    });
    expect(conditionOf(status, 'Synced')?.status).toBe('True');
    const patches = world.writesTo(web).filter(({ contentType }) => contentType === 'application/json-patch+json');
    expect(patches).toHaveLength(1);
    expect(patches[0]?.impersonateUser).toBe(`system:serviceaccount:${world.namespace}:setpoint-applier`);
    expect(JSON.parse(patches[0]?.body ?? '[]').map(({ op, path }: { op: string; path: string }) => `${op} ${path}`)).toEqual([
      'replace /metadata/resourceVersion',
      'remove /spec/template/spec/containers/0/env/1',
      'remove /spec/template/spec/containers/0/env/0',
    ]);
  }, 120_000);

  test('paths are removed whoever added them, also when the rule comes after the addition', async () => {
    const object = settings('by-path');
    const subject = await world.start('by-path', [object]);
    await admin().patch(subject.ref(object), { data: { theirs: 'x' }, metadata: { labels: { note: 'y' } } }, { fieldManager: 'injector' });
    await untilTold('by-path', ['by-path injector: .data.theirs .metadata.labels.note']);
    await subject.configure({ strip: [{ kind: 'ConfigMap', paths: ['.metadata.labels'] }] });
    await untilTold('by-path', ['by-path injector: .data.theirs']);
    const { metadata, data } = await admin().get(subject.ref(object));
    expect(data).toEqual({ colour: 'red', theirs: 'x' });
    expect(Object.keys(metadata.labels ?? {})).toEqual(['setpoint.dev/application']);
  }, 120_000);

  test('without self-heal the addition is drift that is shown, until it is gone', async () => {
    const object = settings('shown');
    const subject = await world.start('shown', [object], { selfHeal: false, strip: [{ managers: ['injector'] }] });
    world.proxy.clear();
    await admin().patch(subject.ref(object), { metadata: { labels: { note: 'y' } } }, { fieldManager: 'injector' });
    const status = await untilStatus(world.namespace, 'shown', ({ sync }) => expect(sync?.status).toBe('OutOfSync'));
    expect(status.drift).toMatchObject([{ kind: 'added', fields: ['.metadata.labels.note'], manager: 'injector', healed: false }]);
    expect(conditionOf(status, 'Ready')?.message).toContain('shown has .metadata.labels.note, which Git does not allow; self-heal is off');
    expect(world.writesTo(object)).toEqual([]);
    await admin().patch(subject.ref(object), { metadata: { labels: { note: null } } }, { fieldManager: 'injector' });
    await untilStatus(world.namespace, 'shown', ({ sync }) => expect(sync?.status).toBe('Synced'));
  }, 120_000);

  test('a strip that is refused is an error of the object, and the rest goes on', async () => {
    const object = settings('refused');
    const subject = await world.start('refused', [object], { strip: [{ managers: ['injector'] }] });
    world.proxy.onRequest = ({ contentType, path }) =>
      contentType === 'application/json-patch+json' && path.endsWith('/refused')
        ? { respond: { status: 403, body: { kind: 'Status', code: 403, message: 'configmaps "refused" is forbidden: not today' } } }
        : undefined;
    try {
      await admin().patch(subject.ref(object), { data: { theirs: 'x', colour: 'blue' } }, { fieldManager: 'injector' });
      const status = await untilStatus(world.namespace, 'refused', (current) =>
        expect(conditionOf(current, 'Ready')?.reason).toBe('Forbidden'),
      );
      expect(conditionOf(status, 'Ready')?.message).toContain('patch ConfigMap');
      expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red', theirs: 'x' });
    } finally {
      world.proxy.onRequest = undefined;
    }
    await eventually(async () => expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red' }), { timeout: 30_000 });
    await untilStatus(world.namespace, 'refused', (current) => expect(conditionOf(current, 'Ready')?.status).toBe('True'));
  }, 120_000);
});

describe('inside what Git declares empty', () => {
  test('additions to emptyDir: {} and securityContext: {} are undone, whoever made them', async () => {
    const web = deployment('empty', { securityContext: {}, volumes: [{ name: 'scratch', emptyDir: {} }] });
    const subject = await world.start('empty', [web]);
    const pod = { securityContext: { runAsUser: 7 }, volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Gi' } }] };
    await admin().patch(subject.ref(web), { spec: { template: { spec: pod } } }, { type: 'strategic', fieldManager: 'kubectl-edit' });
    await eventually(async () => {
      const { spec } = await admin().get(subject.ref(web));
      expect(spec.template.spec.securityContext).toEqual({});
      expect(spec.template.spec.volumes).toEqual([{ name: 'scratch', emptyDir: {} }]);
    });
    const status = await untilStatus(world.namespace, 'empty', ({ drift }) => expect(drift?.length).toBeGreaterThan(0));
    expect(status.drift?.[0]).toMatchObject({
      kind: 'added',
      manager: 'kubectl-edit',
      healed: true,
      fields: ['.spec.template.spec.securityContext.runAsUser', '.spec.template.spec.volumes[name="scratch"].emptyDir.sizeLimit'],
    });
    expect(told((await getApplication(world.namespace, 'empty')).status ?? {})).toEqual([]);
  }, 120_000);
});
