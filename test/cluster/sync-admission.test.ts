// Admission that rewrites what is applied, denies it, or cannot be asked: told once, without a loop, and without holding up the rest.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conditionOf, untilStatus } from '../support/application.ts';
import { admin, eventually, uniqueName } from '../support/cluster.ts';
import { type DeclaredObject, type DriftWorld, startDriftWorld } from '../support/drift-world.ts';

const admissionApi = 'admissionregistration.k8s.io/v1';
let world: DriftWorld;

beforeAll(async () => {
  world = await startDriftWorld('admission');
}, 90_000);

afterAll(() => world?.stop(), 60_000);

const settings = (name: string, data: Readonly<Record<string, string>>): DeclaredObject => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
};

/** A policy that paints `.data.colour` of one ConfigMap grey on writes that meet a condition, in effect. @returns what takes it away. */
async function paintGrey(name: string, condition: string): Promise<() => Promise<void>> {
  const policy = uniqueName('grey');
  const isPainted = `object.metadata.name == '${name}' && has(object.data) && 'colour' in object.data && object.data['colour'] != 'grey'`;
  await admin().apply({
    apiVersion: admissionApi,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: policy },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
      },
      matchConditions: [{ name: 'painted', expression: `${isPainted} && ${condition}` }],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'replace', path: '/data/colour', value: 'grey'}]" } }],
    },
  });
  await admin().apply({
    apiVersion: admissionApi,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: policy },
    spec: { policyName: policy },
  });
  const probe = { ...settings(name, { colour: 'red' }), metadata: { name, namespace: world.namespace } };
  const answer = () => admin().apply(probe, { dryRun: true });
  await eventually(async () => expect((await answer())['data'].colour).toBe('grey'), { timeout: 30_000 });
  return async () => {
    await admin().delete({ apiVersion: admissionApi, kind: 'MutatingAdmissionPolicyBinding', name: policy });
    await admin().delete({ apiVersion: admissionApi, kind: 'MutatingAdmissionPolicy', name: policy });
    await eventually(async () => expect((await answer())['data'].colour).toBe('red'), { timeout: 30_000 });
  };
}

async function notesOf(name: string, reason: string): Promise<string[]> {
  const events = await admin().list('events.k8s.io/v1', 'Event', { namespace: world.namespace });
  return events.filter((event) => event['regarding']?.name === name && event['reason'] === reason).map((event) => String(event['note']));
}

describe('a policy that rewrites', () => {
  test('A9 what we apply is told once with the field, and does not become a loop', async () => {
    const object = settings('painted', { colour: 'red', size: 'big' });
    const takeAway = await paintGrey('painted', 'true');
    try {
      const subject = await world.start('painted', [object]);
      expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'grey', size: 'big' });
      const status = await untilStatus(world.namespace, 'painted', ({ findings }) => expect(findings?.total).toBe(1));
      expect(status.findings?.items[0]).toMatchObject({
        code: 'MutatedByAdmission',
        severity: 'warning',
        field: '.data.colour',
        object: { kind: 'ConfigMap', name: 'painted' },
      });
      expect(conditionOf(status, 'Ready')?.status).toBe('True');
      world.proxy.clear();
      // Somebody's harmless write is looked into; the apply that judges it changes nothing.
      await admin().patch(subject.ref(object), { metadata: { labels: { seen: 'yes' } } }, { fieldManager: 'kubectl-label' });
      await untilStatus(world.namespace, 'painted', ({ extraFields }) => expect(extraFields?.total).toBe(1));
      const after = await subject.declare(object, settings('painted-marker', {}));
      expect(after.drift ?? []).toEqual([]);
      expect(after.findings?.items.map(({ code }) => code)).toEqual(['MutatedByAdmission']);
      expect(world.writesTo(object).length).toBeLessThanOrEqual(1);
      expect(await notesOf('painted', 'MutatedByAdmission')).toHaveLength(1);
      expect(world.operator.logs().filter((line) => line['event'] === 'mutated-by-admission')).toHaveLength(1);
    } finally {
      await takeAway();
    }
    // Once the policy is gone the next apply puts the value right, and nothing is left to tell.
    const subject = { apiVersion: 'v1', kind: 'ConfigMap', namespace: world.namespace, name: 'painted' };
    await admin().patch(subject, { metadata: { labels: { seen: 'again' } } }, { fieldManager: 'kubectl-label' });
    await eventually(async () => expect((await admin().get(subject))['data']).toMatchObject({ colour: 'red' }));
    await untilStatus(world.namespace, 'painted', ({ findings }) => expect(findings).toBeUndefined());
  }, 120_000);

  test("our value on somebody else's harmless write is drift though our entry is unchanged", async () => {
    const object = settings('brushed', { colour: 'red' });
    const subject = await world.start('brushed', [object]);
    const applier = `system:serviceaccount:${world.namespace}:setpoint-applier`;
    const takeAway = await paintGrey('brushed', `request.userInfo.username != '${applier}'`);
    try {
      world.proxy.clear();
      await admin().patch(subject.ref(object), { metadata: { labels: { seen: 'yes' } } }, { fieldManager: 'kubectl-label' });
      const status = await untilStatus(world.namespace, 'brushed', ({ drift }) => expect(drift).toHaveLength(1));
      expect(status.drift?.[0]).toMatchObject({ fields: ['.data.colour'], kind: 'changed', manager: 'unknown', healed: true });
      expect((await admin().get(subject.ref(object)))['data']).toEqual({ colour: 'red' });
      expect(world.writesTo(object)).toHaveLength(1);
      expect(status.findings).toBeUndefined();
    } finally {
      await takeAway();
    }
  }, 120_000);
});

describe('admission that keeps an object out', () => {
  interface Configuration {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
  }

  async function checkKeptOut(name: string, configuration: readonly Configuration[], reason: string, message: string): Promise<void> {
    const kept = settings(name, { colour: 'red' });
    const subject = await world.start(name, [kept]);
    for (const part of configuration) await admin().apply(part);
    const ref = subject.ref(kept);
    try {
      // The object drifts only when the configuration is in effect: until then the heal succeeds.
      const status = await eventually(
        async () => {
          await admin().patch(ref, { data: { colour: String(Math.random()) } }, { fieldManager: 'mallory' });
          return untilStatus(world.namespace, name, (current) => expect(conditionOf(current, 'Ready')?.reason).toBe(reason), 2_000);
        },
        { timeout: 40_000 },
      );
      expect(conditionOf(status, 'Ready')?.message).toContain(message);
      expect(conditionOf(status, 'Synced')?.status).not.toBe('True');
    } finally {
      for (const { apiVersion, kind, metadata } of configuration) await admin().delete({ apiVersion, kind, name: metadata.name });
    }
    await eventually(async () => expect((await admin().get(ref))['data']).toEqual({ colour: 'red' }), { timeout: 60_000 });
    await untilStatus(world.namespace, name, (current) => expect(conditionOf(current, 'Ready')?.status).toBe('True'), 30_000);
  }

  const onlyUs = (name: string) => ({
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });

  test('A7 a policy that denies a heal is told with its reason, and heals go on when it is gone', async () => {
    const name = uniqueName('deny');
    const user = `request.userInfo.username != 'system:serviceaccount:${world.namespace}:setpoint-applier'`;
    const policy = {
      ...{ apiVersion: admissionApi, kind: 'ValidatingAdmissionPolicy', metadata: { name } },
      spec: {
        matchConstraints: onlyUs(world.namespace),
        validations: [{ expression: `object.metadata.name != 'denied' || ${user}`, message: 'no heals today' }],
      },
    };
    const binding = {
      ...{ apiVersion: admissionApi, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name } },
      spec: { policyName: name, validationActions: ['Deny'] },
    };
    await checkKeptOut('denied', [policy, binding], 'AdmissionDenied', 'no heals today');
  }, 180_000);

  test('A8 a webhook that cannot be asked has a reason of its own, and heals go on when it is gone', async () => {
    const name = uniqueName('down');
    const { resourceRules, namespaceSelector } = onlyUs(world.namespace);
    const webhook = {
      name: `${name}.example.com`,
      ...{ admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', timeoutSeconds: 1, matchPolicy: 'Exact' },
      clientConfig: { url: 'https://127.0.0.1:9/' },
      namespaceSelector,
      rules: resourceRules,
      matchConditions: [
        {
          name: 'ours',
          expression: `request.name == 'unasked' && request.userInfo.username == 'system:serviceaccount:${world.namespace}:setpoint-applier'`,
        },
      ],
    };
    const configuration = {
      ...{ apiVersion: admissionApi, kind: 'ValidatingWebhookConfiguration', metadata: { name } },
      webhooks: [webhook],
    };
    await checkKeptOut('unasked', [configuration], 'AdmissionUnavailable', `webhook ${name}.example.com could not be asked`);
  }, 180_000);
});
