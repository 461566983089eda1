// Kubernetes Events of an Application on a real API server: as kubectl shows them, joined when they repeat, and never too many.
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parseApplication } from '../../operator/cluster/applications.ts';
import { createEventRecorder, type EventRecorder } from '../../operator/cluster/events.ts';
import { type Application, applicationKey } from '../../operator/model/application.ts';
import { OperatorError } from '../../operator/model/error.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import type { Outcome, SyncResult } from '../../operator/model/outcome.ts';
import { admin, kubectl, testNamespace, uniqueName } from '../support/cluster.ts';
import { connect, installKinds } from './connected.ts';

const apiVersion = 'setpoint.dev/v1alpha1';
let namespace: string;
let application: Application;
let recorder: EventRecorder;
let now: Date;
let errors: OperatorError[];

beforeAll(async () => {
  await installKinds();
  namespace = await testNamespace('events');
}, 60_000);

beforeEach(async () => {
  const object = {
    apiVersion,
    kind: 'Application',
    metadata: { name: uniqueName('app'), namespace },
    spec: { source: { repoURL: 'https://git.example.com/x.git' } },
  };
  application = parseApplication((await admin().create(object)) as never);
  now = new Date();
  errors = [];
  const { client } = await connect();
  recorder = createEventRecorder({
    client,
    application: (key) => (key === applicationKey(application) ? application : undefined),
    instance: 'setpoint-0',
    now: () => now,
    onError: (error) => void errors.push(error),
  });
});

const failure = (text: string): OperatorEvent => ({
  type: 'failure',
  application: applicationKey(application),
  error: new OperatorError(text, { code: 'RepositoryUnreachable', stage: 'source', fate: 'transient' }),
});

function reconciled(result: SyncResult): OperatorEvent {
  const revision = {
    sha: 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678',
    author: 'Ada',
    authorEmail: 'ada@example.com',
    committer: 'Ada',
    date: '2026-01-01T00:00:00Z',
    subject: 'Add shop',
    parents: [],
  };
  const counts = { create: 3, update: 1, unchanged: 9, prune: 2, skip: 0, conflict: 0 };
  const health = { state: 'Healthy', message: '' } as const;
  const outcome: Outcome = {
    observedGeneration: 1,
    startedAt: now,
    finishedAt: now,
    initiatedBy: 'commit',
    revision,
    result,
    counts,
    findings: [],
    drift: [],
    health,
    owned: 15,
  };
  return { type: 'reconciled', application: applicationKey(application), uid: application.uid, syncId: '1', outcome };
}

async function written() {
  await recorder.flush();
  expect(errors).toEqual([]);
  const all = await admin().list('events.k8s.io/v1', 'Event', { namespace });
  return all.filter((event) => event['regarding'].uid === application.uid);
}

test('kubectl shows type, reason and text beside the Application', async () => {
  recorder.subscriber(reconciled({ kind: 'synced', changed: true }));
  recorder.subscriber({
    type: 'drift',
    application: applicationKey(application),
    drift: {
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      fields: ['.spec.replicas'],
      kind: 'changed',
      manager: 'kubectl-edit',
      operation: 'Update',
      time: '',
      healed: true,
    },
  });
  await recorder.flush();
  const shown = await kubectl([
    'get',
    'events',
    '-n',
    namespace,
    '--field-selector',
    `involvedObject.name=${application.name}`,
    '-o',
    'custom-columns=T:.type,R:.reason,M:.message',
    '--no-headers',
  ]);
  expect(
    shown
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' '))
      .sort(),
  ).toEqual([
    'Normal DriftHealed Deployment shop/web: .spec.replicas changed by kubectl-edit; put right',
    'Normal Synced synced a1b2c3d4 "Add shop" by Ada: 3 created, 1 updated, 2 pruned',
  ]);
  const synced = (await written()).find(({ reason }) => reason === 'Synced');
  expect(synced).toMatchObject({
    metadata: { annotations: { 'setpoint.dev/revision': expect.any(String) } },
    reportingController: 'setpoint.dev/operator',
    reportingInstance: 'setpoint-0',
    action: 'Sync',
  });
});

test('what repeats is counted in one Event, and the count is written only now and then', async () => {
  for (let times = 0; times < 10; times += 1) recorder.subscriber(failure('the same'));
  expect(await written()).toEqual([
    expect.objectContaining({
      note: 'the same',
      reason: 'RepositoryUnreachable',
      type: 'Warning',
      series: expect.objectContaining({ count: 10 }),
    }),
  ]);
  recorder.subscriber(failure('the same'));
  expect((await written())[0]?.['series'].count).toBe(10);
  now = new Date(now.getTime() + 60_000);
  recorder.subscriber(failure('the same'));
  expect((await written())[0]?.['series'].count).toBe(12);
  now = new Date(now.getTime() + 10 * 60_000);
  recorder.subscriber(failure('the same'));
  expect(await written()).toHaveLength(2);
});

test('an Application with too much to tell is cut short, and may speak again later', async () => {
  for (let number = 0; number < 40; number += 1) recorder.subscriber(failure(`number ${number}`));
  expect(await written()).toHaveLength(25);
  now = new Date(now.getTime() + 40_000);
  for (let number = 40; number < 50; number += 1) recorder.subscriber(failure(`number ${number}`));
  expect(await written()).toHaveLength(27);
});

test('a text is cut to what the API server takes', async () => {
  recorder.subscriber(failure('ü'.repeat(2_000)));
  const [event] = await written();
  expect(Buffer.byteLength(event?.['note'])).toBeLessThanOrEqual(1024);
});

test('nothing new is nothing to tell, and neither is an Application that is gone', async () => {
  recorder.subscriber(reconciled({ kind: 'synced', changed: false }));
  recorder.subscriber({ ...(failure('gone') as { type: 'failure'; error: OperatorError }), application: 'nowhere/gone' });
  expect(await written()).toEqual([]);
});
