// What code in a manifest repo gets from @setpoint/constructs: Application, ApplicationAccess, inputs, names.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { App, Chart, Testing } from 'cdk8s';
import { trackingLabelValue } from '../../constructs/annotations.ts';
import { applicationSpecSchema } from '../../constructs/application-spec-schema.ts';
import { Application, ApplicationAccess, inputs } from '../../constructs/index.ts';
import { defaultServiceAccount } from '../../operator/model/identity.ts';

describe('Application', () => {
  test('is an object of its kind with exactly the fields that were written', () => {
    const chart = Testing.chart();
    new Application(chart, 'shop', {
      metadata: { name: 'shop', namespace: 'shop', annotations: { a: 'b' } },
      spec: { source: { repoURL: 'https://git.example.com/x', inputs: { env: 'prod', list: [1] } }, sync: { prune: false } },
    });
    expect(Testing.synth(chart)).toEqual([
      {
        apiVersion: 'setpoint.dev/v1alpha1',
        kind: 'Application',
        metadata: { name: 'shop', namespace: 'shop', annotations: { a: 'b' } },
        spec: { source: { repoURL: 'https://git.example.com/x', inputs: { env: 'prod', list: [1] } }, sync: { prune: false } },
      },
    ]);
  });

  test('takes its namespace and a name from its chart when none is given', () => {
    const chart = new Chart(new App(), 'apps', { namespace: 'platform' });
    const application = new Application(chart, 'shop', { spec: { source: { repoURL: 'https://git.example.com/x' } } });
    expect(application.metadata.namespace).toBe('platform');
    expect(application.name).toMatch(/^apps-shop-/);
  });
});

test('ApplicationAccess grants the same ServiceAccount that Applications act as by default', () => {
  const chart = Testing.chart();
  new ApplicationAccess(chart, 'access', { namespace: 'shop' });
  const [serviceAccount, binding] = Testing.synth(chart);
  expect(serviceAccount.metadata.name).toBe(defaultServiceAccount);
  expect(applicationSpecSchema.properties.serviceAccountName.default).toBe(defaultServiceAccount);
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: defaultServiceAccount, namespace: 'shop' }]);
});

test('a tracking label value fits into a label, whatever the names', () => {
  const longest = trackingLabelValue({ namespace: 'n'.repeat(63), name: 'a'.repeat(253) });
  expect(longest).toMatch(/^[0-9a-f]{16}$/);
  expect(longest).not.toBe(trackingLabelValue({ namespace: 'n'.repeat(63), name: 'a'.repeat(252) }));
});

describe('inputs', () => {
  const sandbox = globalThis as { __setpointInputs?: unknown };
  const before = process.env['SETPOINT_INPUTS'];
  beforeEach(() => {
    delete sandbox.__setpointInputs;
    delete process.env['SETPOINT_INPUTS'];
  });
  afterEach(() => {
    delete sandbox.__setpointInputs;
    if (before === undefined) delete process.env['SETPOINT_INPUTS'];
    else process.env['SETPOINT_INPUTS'] = before;
  });

  test('are empty when there are none', () => {
    expect({ ...inputs }).toEqual({});
    expect(inputs['env']).toBeUndefined();
  });

  test('come from the environment variable under the plain cdk8s command', () => {
    process.env['SETPOINT_INPUTS'] = '{"env": "prod", "nested": {"replicas": 3}}';
    expect({ ...inputs }).toEqual({ env: 'prod', nested: { replicas: 3 } });
    expect('env' in inputs).toBe(true);
    expect(Object.keys(inputs)).toEqual(['env', 'nested']);
    expect(JSON.stringify(inputs)).toBe('{"env":"prod","nested":{"replicas":3}}');
  });

  test.each([['as text', '{"env":"dev"}'] as const, ['as a value', { env: 'dev' }] as const])(
    'come from the sandbox %s, which wins over the environment',
    (_, given) => {
      process.env['SETPOINT_INPUTS'] = '{"env": "prod"}';
      sandbox.__setpointInputs = given;
      expect(inputs['env']).toBe('dev');
    },
  );

  test('are read when used, not when imported, so that a snapshot of the library holds nobody’s', () => {
    sandbox.__setpointInputs = { env: 'a' };
    expect(inputs['env']).toBe('a');
    sandbox.__setpointInputs = { env: 'b' };
    expect(inputs['env']).toBe('b');
  });

  test('cannot be changed', () => {
    const writable = inputs as Record<string, unknown>;
    expect(() => Object.assign(writable, { env: 'x' })).toThrow('inputs are read-only');
    expect(() => delete writable['env']).toThrow('inputs are read-only');
  });

  test.each(['[1]', '"prod"', '3'])('that are no object are refused: %s', (text) => {
    process.env['SETPOINT_INPUTS'] = text;
    expect(() => inputs['env']).toThrow('inputs must be a JSON object');
  });

  test('that are no JSON are refused with the name of the variable', () => {
    process.env['SETPOINT_INPUTS'] = '{env: prod}';
    expect(() => inputs['env']).toThrow('SETPOINT_INPUTS');
  });
});

test('ApplicationAccess of two tenants in one namespace makes two bindings', () => {
  const bindingsOf = (namespace: string): { metadata: { name: string; namespace: string } }[] => {
    const chart = new Chart(new App(), 'tenant');
    new ApplicationAccess(chart, 'access', { namespace, targetNamespaces: ['shared'] });
    return Testing.synth(chart).filter(({ kind }) => kind === 'RoleBinding');
  };
  const [one, two] = [bindingsOf('team-a')[0], bindingsOf('team-b')[0]];
  expect([one?.metadata.namespace, two?.metadata.namespace]).toEqual(['shared', 'shared']);
  expect(one?.metadata.name).not.toBe(two?.metadata.name);
});
