// Setpoint's own install: what is applied, and that the plain cdk8s command makes the same of it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { installManifests } from '../../charts/install.ts';
import { tenantManifests } from '../../charts/tenant.ts';
import { parseConfig } from '../../operator/config.ts';
import { expectGolden, toGoldenYaml } from '../golden.ts';

const root = path.resolve(import.meta.dirname, '..', '..');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: the test reaches into objects of many kinds
  readonly [field: string]: any;
}

function findManifest(kind: string, name: string, options?: Parameters<typeof installManifests>[0]): Manifest {
  const manifests = installManifests(options) as unknown as readonly Manifest[];
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`the install has no ${kind} ${name}`);
  return found;
}

test('the install is what the golden file says', () => {
  expectGolden('install.yaml', toGoldenYaml(installManifests()));
});

test('only kinds are installed with crdsOnly', () => {
  expect(installManifests({ crdsOnly: true }).map(({ kind }) => kind)).toEqual(['CustomResourceDefinition', 'CustomResourceDefinition']);
});

test('a tenant gets its namespace, a ServiceAccount without a mounted token and admin rights there', () => {
  expectGolden('tenant.yaml', toGoldenYaml(tenantManifests({ namespace: 'shop' })));
});

test('a tenant may act in several namespaces, as another ServiceAccount, with another role', () => {
  const objects = tenantManifests({ namespace: 'shop', serviceAccountName: 'deployer', targetNamespaces: ['a', 'b'], clusterRole: 'edit' });
  const bindings = objects.filter(({ kind }) => kind === 'RoleBinding') as unknown as readonly Manifest[];
  expect(bindings.map(({ metadata, roleRef, subjects }) => [metadata['namespace' as never], roleRef.name, subjects[0]])).toEqual([
    ['a', 'edit', { kind: 'ServiceAccount', name: 'deployer', namespace: 'shop' }],
    ['b', 'edit', { kind: 'ServiceAccount', name: 'deployer', namespace: 'shop' }],
  ]);
  expect(new Set(bindings.map(({ metadata }) => metadata.name)).size).toBe(2);
});

test('npx cdk8s synth writes the objects that setpoint install applies', () => {
  const output = mkdtempSync(path.join(tmpdir(), 'setpoint-test-charts-'));
  try {
    const cdk8s = path.join(root, 'node_modules', '.bin', 'cdk8s');
    execFileSync(cdk8s, ['synth', '--check-upgrade=false', '--output', output], { cwd: root, stdio: 'pipe' });
    const written = readdirSync(output)
      .sort()
      .flatMap((file) => parseAllDocuments(readFileSync(path.join(output, file), 'utf8')).map((document) => document.toJS()));
    expect(written).toEqual(installManifests());
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}, 60_000);

describe('the synth server', () => {
  const pod = findManifest('Deployment', 'setpoint-synth')['spec'].template;

  test('has no token of a ServiceAccount', () => {
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(findManifest('ServiceAccount', 'setpoint-synth')['automountServiceAccountToken']).toBe(false);
  });

  test('has no rights: no role is bound to its ServiceAccount', () => {
    const bindings = installManifests().filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding');
    expect(JSON.stringify(bindings)).not.toContain('setpoint-synth"');
  });

  test('cannot reach anything and is reached by the operator only', () => {
    const { spec } = findManifest('NetworkPolicy', 'setpoint-synth');
    expect(spec.podSelector.matchLabels).toEqual(pod.metadata.labels);
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.egress).toEqual([]);
    const operator = findManifest('Deployment', 'setpoint-operator')['spec'].template.metadata.labels;
    expect(spec.ingress).toEqual([{ from: [{ podSelector: { matchLabels: operator } }], ports: [{ port: 8443, protocol: 'TCP' }] }]);
  });
});

describe.each(['setpoint-operator', 'setpoint-synth'])('the Pod of %s', (name) => {
  test('runs without root, without capabilities, on a read-only file system', () => {
    const { spec } = findManifest('Deployment', name)['spec'].template;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined();
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});

describe('of two operators', () => {
  test('one acts: they share a Lease that nobody holds at first', () => {
    const { spec } = findManifest('Deployment', 'setpoint-operator');
    expect(spec.replicas).toBe(2);
    expect(spec.template.spec.containers[0].args).toContain('--leader-elect');
    expect(findManifest('Lease', 'setpoint-operator')['spec']).toBeUndefined();
  });

  test('one is always there: while they are replaced, and while nodes are drained', () => {
    const { spec } = findManifest('Deployment', 'setpoint-operator');
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    const budget = findManifest('PodDisruptionBudget', 'setpoint-operator')['spec'];
    expect(budget).toEqual({ maxUnavailable: 1, selector: { matchLabels: spec.template.metadata.labels } });
  });

  test('both may change that Lease and no other', () => {
    const rules = findManifest('Role', 'setpoint-operator')['rules'] as {
      resources: string[];
      resourceNames?: string[];
      verbs: string[];
    }[];
    const onLeases = rules.filter(({ resources }) => resources.includes('leases'));
    expect(onLeases.map(({ resourceNames, verbs }) => [resourceNames, verbs])).toEqual([
      [undefined, ['create']],
      [['setpoint-operator'], ['get', 'list', 'watch', 'update']],
    ]);
  });
});

test('the operator starts before its synth key exists, the synth server waits for it', () => {
  const keyOf = (name: string) =>
    findManifest('Deployment', name)['spec'].template.spec.volumes.find((volume: { name: string }) => volume.name === 'synth-key').secret;
  expect(keyOf('setpoint-operator')).toMatchObject({ secretName: 'setpoint-synth-key', optional: true });
  expect(keyOf('setpoint-synth')).toMatchObject({ secretName: 'setpoint-synth-key', optional: false });
});

test('a webhook secret is mounted only when one is named', () => {
  const containerOf = (webhookSecretName?: string) =>
    findManifest('Deployment', 'setpoint-operator', webhookSecretName === undefined ? {} : { webhookSecretName })['spec'].template.spec
      .containers[0];
  expect(containerOf().args.join(' ')).not.toContain('webhook');
  expect(containerOf('hook').args).toContain('--webhook-secret-file=/etc/setpoint/webhook/secret');
});

test('the operator’s own configuration accepts the flags of its container', () => {
  const [container] = findManifest('Deployment', 'setpoint-operator', { webhookSecretName: 'hook' })['spec'].template.spec.containers;
  const [command, ...args] = container.args as string[];
  expect(command).toBe('operator');
  const flags = Object.fromEntries(
    args.map((argument) => {
      const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/.exec(argument) ?? [];
      const given = value === undefined ? true : value.replace('$(POD_IP)', '10.0.0.7');
      return [name.replace(/-[a-z]/g, (letter) => letter.slice(1).toUpperCase()), given];
    }),
  );
  expect(parseConfig(flags, {})).toMatchObject({
    apiAddress: { host: '0.0.0.0', port: 8080 },
    metricsAddress: { host: '0.0.0.0', port: 8081 },
    dataDir: '/var/lib/setpoint',
    synthAddress: { host: 'setpoint-synth.setpoint-system.svc', port: 8443 },
    synthKeyFile: '/etc/setpoint/synth/key',
    webhookSecretFile: '/etc/setpoint/webhook/secret',
    advertiseAddress: '10.0.0.7',
    leaderElection: { resourceName: 'setpoint-operator', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 },
  });
});
