// Writing users' objects on a real API server: whose rights are used, and what each refusal says.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import type { ObjectWriter } from '../../operator/apply/ports.ts';
import { formatError, OperatorError } from '../../operator/model/error.ts';
import type { TenantIdentity } from '../../operator/model/identity.ts';
import type { KubeObject } from '../../operator/model/manifest.ts';
import { admin, eventually, testNamespace, uniqueName } from '../support/cluster.ts';
import { configMap, connect, connectThroughProxy, never, tenantWith } from './connected.ts';

let namespace: string;
let identity: TenantIdentity;
let writer: ObjectWriter;
const force = { dryRun: false, force: true };

beforeAll(async () => {
  namespace = await testNamespace('objects');
  identity = await tenantWith(namespace);
  ({ writer } = await connect());
}, 60_000);

/** The error of a refused apply as its reader sees it: code, fate and text. */
async function checkRefused(
  object: unknown,
  expected: { readonly code: string; readonly fate: string; readonly text: string | RegExp },
  options = force,
): Promise<void> {
  const error = await writer.apply(identity, object as KubeObject, options, never).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  const { code, fate } = error as OperatorError;
  expect({ code, fate }).toEqual({ code: expected.code, fate: expected.fate });
  const text = formatError(error as OperatorError);
  if (typeof expected.text === 'string') expect(text).toBe(expected.text);
  else expect(text).toMatch(expected.text);
}

const ref = (name: string, kind = 'ConfigMap') => ({ apiVersion: 'v1', kind, namespace, name });

describe('apply, read and delete', () => {
  test('an apply answers with the live object, our fields and its UID; the same apply again writes nothing', async () => {
    const first = await writer.apply(identity, configMap(namespace, 'same'), force, never);
    expect(first).toMatchObject({ metadata: { managedFields: [{ manager: 'setpoint', operation: 'Apply' }] }, data: { key: 'value' } });
    const second = await writer.apply(identity, configMap(namespace, 'same'), force, never);
    expect(second['metadata']).toEqual(first['metadata']);
  });

  test('a dry run writes nothing', async () => {
    await writer.apply(identity, configMap(namespace, 'dry'), { dryRun: true, force: true }, never);
    expect(await writer.read(identity, ref('dry'), never)).toBeUndefined();
  });

  test('an apply with a resource version is refused once the object has changed', async () => {
    const live = await writer.apply(identity, configMap(namespace, 'claimed'), force, never);
    await admin().patch(ref('claimed'), { data: { other: 'x' } });
    const resourceVersion = (live['metadata'] as { resourceVersion: string }).resourceVersion;
    await expect(
      writer.apply(identity, configMap(namespace, 'claimed', { key: 'new' }), { ...force, resourceVersion }, never),
    ).rejects.toMatchObject({
      code: 'ApplyConflict',
      fate: 'transient',
    });
  });

  test('P10 a delete names the UID it means: an object made anew under the same name stays', async () => {
    const { metadata } = (await writer.apply(identity, configMap(namespace, 'remade'), force, never)) as KubeObject;
    await admin().delete(ref('remade'));
    await admin().create(configMap(namespace, 'remade'));
    expect(await writer.delete(identity, ref('remade'), String(metadata['uid']), never)).toEqual({ state: 'replaced' });
    expect(await admin().tryGet(ref('remade'))).toBeDefined();
  });

  test('P12 deleting what is not there is success', async () => {
    expect(await writer.delete(identity, ref('absent'), '4f2c5a3e-0000-4000-8000-000000000000', never)).toEqual({ state: 'gone' });
  });

  test('A23 a delete that a finalizer holds up names the finalizer', async () => {
    const object = { ...configMap(namespace, 'held'), metadata: { name: 'held', namespace, finalizers: ['example.com/hold'] } };
    const { metadata } = (await writer.apply(identity, object, force, never)) as KubeObject;
    expect(await writer.delete(identity, ref('held'), String(metadata['uid']), never)).toEqual({
      state: 'terminating',
      finalizers: ['example.com/hold'],
    });
    await admin().patch(ref('held'), { metadata: { finalizers: null } });
  });
});

describe('whose rights', () => {
  let proxy: ApiProxy;

  test('T5 every request on a user object is impersonated as its ServiceAccount, and names no group', async () => {
    const connected = await connectThroughProxy();
    proxy = connected.proxy;
    const { metadata } = (await connected.writer.apply(identity, configMap(namespace, 'whose'), force, never)) as KubeObject;
    await connected.writer.apply(identity, configMap(namespace, 'whose'), { dryRun: true, force: false }, never);
    await connected.writer.read(identity, ref('whose'), never);
    await connected.writer.delete(identity, ref('whose'), String(metadata['uid']), never);
    const onObjects = proxy.requests.filter(({ path }) => path.includes('/configmaps/'));
    expect(onObjects.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'GET', 'DELETE']);
    for (const request of onObjects) {
      expect(request.impersonateUser).toBe(`system:serviceaccount:${namespace}:setpoint-applier`);
      expect(request.impersonateGroups).toEqual([]);
    }
    expect(proxy.writes().filter(({ impersonateUser }) => impersonateUser === undefined)).toEqual([]);
  });

  test('the right to impersonate ServiceAccounts is all it takes: the server adds their groups', async () => {
    const group = await testNamespace('groups');
    await admin().apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'by-group', namespace: group },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: `system:serviceaccounts:${namespace}` }],
    });
    await eventually(() => writer.apply(identity, configMap(group, 'by-group'), force, never));
  });

  test.each(['', ' ', 'system:masters', 'system:serviceaccount::x', 'admin'])(
    'T4 an identity without a ServiceAccount (%p) is an error before any request',
    async (user) => {
      const { client, proxy: recorded } = await connectThroughProxy();
      expect(() => client.impersonating({ user } as TenantIdentity)).toThrow(expect.objectContaining({ code: 'ImpersonationRequired' }));
      expect(recorded.requests).toEqual([]);
    },
  );
});

describe('refusals', () => {
  test('a missing permission names the ServiceAccount, the verb, the resource, the namespace and what to grant', async () => {
    const other = await testNamespace('forbidden');
    await checkRefused(
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: other } },
      {
        code: 'Forbidden',
        fate: 'transient',
        text: `apply Deployment ${other}/web: ServiceAccount ${namespace}/setpoint-applier may not patch deployments.apps in namespace ${other}; grant it with a Role and RoleBinding in namespace ${other}: apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "create", "patch", "delete"]`,
      },
    );
  });

  test('a missing permission at cluster scope asks for a ClusterRole', async () => {
    await checkRefused(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: uniqueName('new') } },
      {
        code: 'Forbidden',
        fate: 'transient',
        text: /may not patch namespaces at cluster scope; grant it with a ClusterRole and ClusterRoleBinding/,
      },
    );
  });

  test('T2 granting rights one does not hold is refused by the server and said so', async () => {
    await checkRefused(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'too-much', namespace },
        rules: [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['*'] }],
      },
      {
        code: 'Forbidden',
        fate: 'transient',
        text: /may not grant permissions it does not hold: .*example\.com.*; give it these permissions too/,
      },
    );
  });

  test('an object that does not fit names each field', async () => {
    await checkRefused(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'bad', namespace },
        spec: { ports: [{ port: 70000 }], sessionAffinity: 'Never' },
      },
      { code: 'ApplyRefused', fate: 'terminal', text: /^apply Service \S+\/bad: .*spec\.ports\[0\]\.port: .*spec\.sessionAffinity: / },
    );
  });

  test('V1 a field the server does not know is refused, not dropped', async () => {
    await checkRefused(
      { ...configMap(namespace, 'unknown'), unknownField: 1 },
      { code: 'ApplyRefused', fate: 'terminal', text: `apply ConfigMap ${namespace}/unknown: .unknownField: field not declared in schema` },
    );
  });

  test('V1 a field that a custom resource does not have is refused, not pruned', async () => {
    const group = `${uniqueName('g')}.example.com`;
    const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` };
    await admin().apply({
      apiVersion: definition.apiVersion,
      kind: definition.kind,
      metadata: { name: definition.name },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
            },
          },
        ],
      },
    });
    try {
      const all = await tenantWith(namespace, 'cluster-admin', 'thing-writer');
      const thing = { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x', namespace }, spec: { typo: 1 } } as KubeObject;
      await eventually(() =>
        expect(writer.apply(all, thing, force, never)).rejects.toMatchObject({
          code: 'ApplyRefused',
          message: expect.stringContaining('typo'),
        }),
      );
    } finally {
      await admin().delete(definition);
    }
  });

  test('V3 a kind that is not served says how to get it, and may come', async () => {
    await checkRefused(
      { apiVersion: 'nowhere.example.com/v1', kind: 'Thing', metadata: { name: 'x', namespace } },
      {
        code: 'ApplyRefused',
        fate: 'transient',
        text: 'apply Thing x: the cluster serves no nowhere.example.com/v1 Thing; install its CustomResourceDefinition, or correct apiVersion and kind'.replace(
          'Thing x',
          `Thing ${namespace}/x`,
        ),
      },
    );
  });

  test('A1 without force a field of another manager is a conflict that names manager and field', async () => {
    await admin().apply(configMap(namespace, 'owned', { key: 'theirs' }), { fieldManager: 'kubectl-edit' });
    await checkRefused(
      configMap(namespace, 'owned', { key: 'ours' }),
      { code: 'ApplyConflict', fate: 'terminal', text: /field manager conflict on \.data\.key \(kubectl-edit\)/ },
      { dryRun: false, force: false },
    );
  });

  test('A11 a namespace that is being deleted is told as such', async () => {
    const leaving = await testNamespace('leaving');
    const tenant = await tenantWith(leaving);
    await admin().apply({
      ...configMap(leaving, 'holds'),
      metadata: { name: 'holds', namespace: leaving, finalizers: ['example.com/hold'] },
    });
    await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name: leaving });
    try {
      const object = configMap(leaving, 'late') as unknown as KubeObject;
      await eventually(() =>
        expect(writer.apply(tenant, object, { dryRun: true, force: true }, never)).rejects.toMatchObject({
          code: 'Terminating',
          fate: 'transient',
        }),
      );
    } finally {
      await admin().patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace: leaving, name: 'holds' }, { metadata: { finalizers: null } });
    }
  });

  test('T8 no value of a Secret is in the text of a refusal, plain or encoded', async () => {
    const value = 'hunter2-canary';
    const encoded = Buffer.from(value).toString('base64');
    for (const secret of [
      { data: { password: `${encoded}!` } },
      { data: { password: encoded, other: 1 } },
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': encoded } },
    ]) {
      const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'canary', namespace }, ...secret } as unknown as KubeObject;
      const error = (await writer.apply(identity, object, force, never).catch((thrown: unknown) => thrown)) as OperatorError;
      expect(error).toMatchObject({ code: 'ApplyRefused' });
      const told = `${formatError(error)} ${String((error.cause as Error).message)} ${JSON.stringify(error.cause)}`;
      expect(told).not.toContain(value);
      expect(told).not.toContain(encoded);
      expect(told).toContain('canary');
    }
  });

  test('T8 a policy that quotes the Secret it denies is quoted without the value', async () => {
    const name = uniqueName('quotes');
    const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', name };
    const binding = { ...policy, kind: 'ValidatingAdmissionPolicyBinding' };
    const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }];
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    await admin().apply({
      apiVersion: policy.apiVersion,
      kind: policy.kind,
      metadata: { name },
      spec: {
        matchConstraints: { namespaceSelector, resourceRules },
        validations: [
          { expression: "!object.metadata.name.startsWith('quoted')", messageExpression: "'refused ' + string(object.data.password)" },
        ],
      },
    });
    await admin().apply({
      apiVersion: binding.apiVersion,
      kind: binding.kind,
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'quoted', namespace },
      data: { password: Buffer.from('hunter2-canary').toString('base64') },
    };
    const apply = (): Promise<unknown> =>
      writer.apply(identity, secret, { dryRun: true, force: true }, never).then(
        () => undefined,
        (error: unknown) => error,
      );
    try {
      const error = (await eventually(async () => {
        const refusal = await apply();
        expect(refusal).toMatchObject({ code: 'AdmissionDenied' });
        return refusal;
      })) as OperatorError;
      expect(error.message).toContain(`${name} denied it: refused ***`);
      expect(String((error.cause as Error).message)).not.toContain('canary');
    } finally {
      await admin().delete(binding);
      await admin().delete(policy);
    }
  });

  test('A7 a policy that denies is named with its reason', async () => {
    const name = uniqueName('no-marked');
    await admin().apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
        },
        validations: [
          {
            expression: `!has(object.metadata.labels) || !('${name}' in object.metadata.labels)`,
            message: 'marked objects are not wanted',
          },
        ],
      },
    });
    await admin().apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
    const object = { ...configMap(namespace, 'marked'), metadata: { name: 'marked', namespace, labels: { [name]: 'x' } } };
    try {
      const dryRun = { dryRun: true, force: true };
      await eventually(() => expect(writer.apply(identity, object, dryRun, never)).rejects.toMatchObject({ code: 'AdmissionDenied' }));
      await checkRefused(
        object,
        {
          code: 'AdmissionDenied',
          fate: 'transient',
          text: `dry-run ConfigMap ${namespace}/marked: ValidatingAdmissionPolicy ${name} denied it: marked objects are not wanted`,
        },
        dryRun,
      );
    } finally {
      await admin().delete({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', name });
      await admin().delete({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', name });
    }
  });

  test('A8 a webhook that cannot be reached is not the fault of the object', async () => {
    const name = uniqueName('broken');
    await admin().apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: `${name}.example.com`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          timeoutSeconds: 1,
          clientConfig: { url: 'https://127.0.0.1:9/' },
          matchPolicy: 'Exact',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['endpoints'] }],
        },
      ],
    });
    const object = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'behind', namespace } } as KubeObject;
    try {
      const operator = await tenantWith(namespace, 'cluster-admin', 'endpoint-writer');
      await eventually(() =>
        expect(writer.apply(operator, object, { dryRun: true, force: true }, never)).rejects.toMatchObject({
          code: 'AdmissionUnavailable',
          fate: 'transient',
          message: expect.stringContaining(`webhook ${name}.example.com could not be asked`),
        }),
      );
    } finally {
      await admin().delete({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', name });
    }
  });

  test('a quota that is used up is told with what was asked and used', async () => {
    const full = await testNamespace('full');
    const tenant = await tenantWith(full);
    await admin().create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none', namespace: full },
      spec: { hard: { 'count/secrets': '0' } },
    });
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one', namespace: full } } as KubeObject;
    await eventually(() =>
      expect(writer.apply(tenant, object, { dryRun: true, force: true }, never)).rejects.toMatchObject({
        code: 'AdmissionDenied',
        message: expect.stringContaining('exceeded quota: none'),
      }),
    );
  });
});
