// Who may do what once Setpoint is installed: tenants' ServiceAccounts, people with view, edit or admin, and Pods under the restricted standard.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { installManifests } from '../../charts/install.ts';
import { tenantManifests } from '../../charts/tenant.ts';
import { admin, eventually, type KubernetesObject, testNamespace, uniqueName } from '../support/cluster.ts';

let namespace: string;
let elsewhere: string;

beforeAll(async () => {
  for (const object of installManifests()) await admin().apply(object);
  [namespace, elsewhere] = [await testNamespace('tenant'), await testNamespace('elsewhere')];
  for (const object of tenantManifests({ namespace })) await admin().apply(object);
  await admin().apply(bindingOf('view'));
  await eventually(async () => expect(await may('viewer', { verb: 'get', group: 'setpoint.dev', resource: 'applications' })).toBe(true));
}, 60_000);

function bindingOf(role: string) {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: uniqueName(role), namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `${role}er` }],
  };
}

/** Whether a user may do something in the tenant's namespace, as the API server decides it. */
async function may(user: string, attributes: Record<string, string>): Promise<boolean> {
  const spec = { user, resourceAttributes: { namespace, ...attributes } };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const answer = await admin().raw('/apis/authorization.k8s.io/v1/subjectaccessreviews', { method: 'POST', body: review });
  return answer['status'].allowed;
}

describe('a tenant’s ServiceAccount', () => {
  const user = () => `system:serviceaccount:${namespace}:setpoint-applier`;

  test.each<[string, Record<string, string>]>([
    ['write workloads', { verb: 'patch', group: 'apps', resource: 'deployments' }],
    ['write Secrets', { verb: 'create', resource: 'secrets' }],
    ['read the Secret of its repository', { verb: 'get', resource: 'secrets', name: 'git-creds' }],
    ['write roles of its namespace', { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'roles' }],
    ['write Applications, as an app of apps does', { verb: 'patch', group: 'setpoint.dev', resource: 'applications' }],
  ])('may %s', async (_, attributes) => expect(await may(user(), attributes)).toBe(true));

  test.each<[string, Record<string, string>]>([
    ['write anything in another namespace', { verb: 'create', resource: 'configmaps', namespace: 'default' }],
    ['write Namespaces', { verb: 'create', resource: 'namespaces', namespace: '' }],
    ['write kinds', { verb: 'create', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', namespace: '' }],
    ['write the status of Applications', { verb: 'patch', group: 'setpoint.dev', resource: 'applications', subresource: 'status' }],
    ['write inventories', { verb: 'patch', group: 'setpoint.dev', resource: 'inventories' }],
  ])('may not %s', async (_, attributes) => expect(await may(user(), attributes)).toBe(false));

  test('has no rights where its namespace was not named', async () => {
    expect(await may(user(), { verb: 'get', resource: 'secrets', namespace: elsewhere })).toBe(false);
  });
});

test('who may view a namespace may view its Applications and change none', async () => {
  expect(await may('viewer', { verb: 'list', group: 'setpoint.dev', resource: 'applications' })).toBe(true);
  expect(await may('viewer', { verb: 'patch', group: 'setpoint.dev', resource: 'applications' })).toBe(false);
});

test.each(['edit', 'admin'])('P9 who may %s a namespace may change its Applications and none of their inventories', async (role) => {
  await admin().apply(bindingOf(role));
  const user = `${role}er`;
  await eventually(async () => expect(await may(user, { verb: 'patch', group: 'setpoint.dev', resource: 'applications' })).toBe(true));
  const allowed: string[] = [];
  for (const verb of ['create', 'update', 'patch', 'delete', 'deletecollection']) {
    if (await may(user, { verb, group: 'setpoint.dev', resource: 'inventories' })) allowed.push(verb);
  }
  expect(allowed).toEqual([]);
});

test.each(['setpoint-operator', 'setpoint-synth'])('the Pod of %s is admitted by the restricted Pod Security Standard', async (name) => {
  const { metadata } = await admin().get({ apiVersion: 'v1', kind: 'Namespace', name: 'setpoint-system' });
  expect(metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
  const component = name.replace('setpoint-', 'app.kubernetes.io/component=');
  const pods = await eventually(async () => {
    const found = await admin().list('v1', 'Pod', { namespace: 'setpoint-system', labelSelector: component });
    expect(found.length).toBeGreaterThan(0);
    return found;
  });
  const tokens = pods.flatMap((pod: KubernetesObject) => pod['spec'].volumes.filter((volume: { projected?: object }) => volume.projected));
  expect(tokens).toHaveLength(name === 'setpoint-synth' ? 0 : pods.length);
});
