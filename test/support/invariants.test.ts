// The judge of histories must be able to condemn: each invariant with a history that keeps it and one that breaks it.
import { describe, expect, test } from '@jest/globals';
import { trackingLabelValue } from '../../constructs/annotations.ts';
import type { ProxiedRequest } from '../../dev/api-proxy.ts';
import { brokenInvariants, type JudgedApplication } from './invariants.ts';

const tenant = 'system:serviceaccount:shop:setpoint-applier';
const object = '/api/v1/namespaces/shop/configmaps/settings';
const inventories = '/apis/setpoint.dev/v1alpha1/namespaces/shop/inventories';
const status = '/apis/setpoint.dev/v1alpha1/namespaces/shop/applications/web/status';
const web: JudgedApplication = {
  namespace: 'shop',
  name: 'web',
  commits: [
    { sha: 'one', at: 0, declares: ['ConfigMap/settings'] },
    { sha: 'two', at: 10, declares: [] },
  ],
};

type Sent = Partial<Omit<ProxiedRequest, 'query'>> & { readonly query?: Readonly<Record<string, string>> };

/** The violations of requests sent one after the other, each answered before the next unless it says otherwise. */
function judge(requests: readonly Sent[], application: JudgedApplication = web): readonly string[] {
  const history = requests.map((request, index): ProxiedRequest => {
    const answered = 'answeredAt' in request ? request.answeredAt : index * 2 + 1;
    return {
      ...{ method: 'PATCH', path: object, httpVersion: '1.1', impersonateUser: undefined, impersonateGroups: [], userAgent: 'setpoint' },
      ...{ contentType: 'application/apply-patch+yaml', accept: undefined, watch: false, startedAt: index, body: '', duration: 1 },
      ...{ status: 200, answer: '{"metadata":{"uid":"u1"}}', cameAt: index * 2 },
      ...request,
      answeredAt: answered,
      query: new URLSearchParams(request.query),
    };
  });
  return brokenInvariants({ requests: history, applications: [application] });
}

/** A write of the inventory that names ConfigMaps with their UIDs. */
function inventory(names: Readonly<Record<string, string>>, options: Sent = {}): Sent {
  const labels = { 'setpoint.dev/inventory-of': trackingLabelValue({ namespace: 'shop', name: 'web' }) };
  const entries = Object.entries(names).map(([n, u]) =>
    JSON.stringify({ v: 'v1', k: 'ConfigMap', ns: 'shop', n, ...(u === '' ? {} : { u }) }),
  );
  const body = JSON.stringify({ metadata: { namespace: 'shop', name: 'web-0', labels }, entries });
  return { method: 'PUT', path: `${inventories}/web-0`, contentType: 'application/json', body, ...options };
}

const apply: Sent = { impersonateUser: tenant, query: { fieldManager: 'setpoint', force: 'true' } };

function deletion(uid: string | undefined, options: Sent = {}): Sent {
  return { method: 'DELETE', impersonateUser: tenant, startedAt: 20, body: JSON.stringify({ preconditions: { uid } }), ...options };
}

function named(revision: string): Sent {
  const body = JSON.stringify([{ op: 'test' }, { op: 'add', path: '/status', value: { source: { revision } } }]);
  return { path: status, contentType: 'application/json-patch+json', body };
}

describe('a history that keeps every invariant', () => {
  test.each<[string, readonly Sent[]]>([
    ['widen, apply, narrow, delete', [inventory({ settings: '' }), apply, inventory({ settings: 'u1' }), deletion('u1')]],
    [
      'an object whose apply was never confirmed is deleted by the UID it was answered with',
      [inventory({ settings: '' }), apply, deletion('u1')],
    ],
    [
      'the inventory is read after a restart',
      [
        {
          ...inventory({}),
          method: 'GET',
          path: inventories,
          query: { labelSelector: `setpoint.dev/inventory-of=${trackingLabelValue({ namespace: 'shop', name: 'web' })}` },
          answer: `{"items":[${String(inventory({ settings: 'u1' }).body)}]}`,
        },
        apply,
      ],
    ],
    ['the commit in the status goes forward', [named('one'), named('two'), named('two')]],
    ['a dry run comes before anything is in the inventory', [{ ...apply, query: { fieldManager: 'setpoint', dryRun: 'All' } }]],
  ])('%s', (_, requests) => {
    expect(judge(requests)).toEqual([]);
  });
});

describe('a history that breaks one', () => {
  test.each<[string, readonly Sent[], JudgedApplication?]>([
    ['I1 DELETE .* is of an object that is in no inventory', [deletion('u1')]],
    ['I1 DELETE .* names no UID', [inventory({ settings: 'u1' }), deletion(undefined)]],
    ['I1 DELETE .* names UID u2, the inventory u1', [inventory({ settings: 'u1' }), deletion('u2')]],
    ['I1 DELETE .* names UID u2, the inventory none', [inventory({ settings: '' }), apply, deletion('u2')]],
    ['I2 DELETE .* every readable commit declares', [inventory({ settings: 'u1' }), deletion('u1', { startedAt: 5 })]],
    [
      'I2 DELETE .* every readable commit declares',
      [inventory({ settings: 'u1' }), deletion('u1')],
      {
        ...web,
        commits: [
          { sha: 'one', at: 0, declares: ['ConfigMap/settings'] },
          { sha: 'bad', at: 1, declares: undefined },
        ],
      },
    ],
    ['I3 PATCH .* is sent as the operator', [inventory({ settings: '' }), { ...apply, impersonateUser: undefined }]],
    ['I3 PATCH .* is sent as .*:other', [inventory({ settings: '' }), { ...apply, impersonateUser: 'system:serviceaccount:shop:other' }]],
    ['I3 PATCH .* is sent as the operator', [{ ...apply, impersonateUser: undefined, query: { fieldManager: 'setpoint', dryRun: 'All' } }]],
    ['I4 PATCH .* by kubectl', [inventory({ settings: '' }), { ...apply, query: { fieldManager: 'kubectl' } }]],
    ['I4 PATCH .* application/merge-patch', [inventory({ settings: '' }), { ...apply, contentType: 'application/merge-patch+json' }]],
    ['I9 .* goes back from two to one', [named('two'), named('one')]],
    ['I9 .* names three, which was never pushed', [named('three')]],
    ['A15 PATCH .* before an acknowledged inventory', [apply]],
    ['A15 PATCH .* before an acknowledged inventory', [inventory({ other: '' }), apply]],
    ['A15 PATCH .* before an acknowledged inventory', [inventory({ settings: '' }, { answeredAt: undefined }), apply]],
    ['A15 PATCH .* before an acknowledged inventory', [inventory({ settings: '' }, { status: 409 }), apply]],
  ])('%s', (expected, requests, application = web) => {
    const broken = judge(requests, application);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(new RegExp(`^${expected}`));
  });
});

test('what is deleted with its Application needs no commit that leaves it out', () => {
  expect(judge([inventory({ settings: 'u1' }), deletion('u1', { startedAt: 5 })], { ...web, deletedAt: 4 })).toEqual([]);
});
