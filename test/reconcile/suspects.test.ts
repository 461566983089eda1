// Which changes of live objects make them suspects: a table of what a watch shows when.
import { describe, expect, test } from '@jest/globals';
import type { Application } from '../../operator/model/application.ts';
import type { Baseline, ObservedObject } from '../../operator/model/observed.ts';
import { type ApplicationMemory, createMemory } from '../../operator/reconcile/application-memory.ts';
import type { ObjectObserver } from '../../operator/reconcile/ports.ts';
import { judgeAll, judgeNoticed, noticeObject } from '../../operator/reconcile/suspects.ts';

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' };
const key = '|ConfigMap|shop|settings';

function baseline(resourceVersion: string): Baseline {
  return { uid: 'u', resourceVersion, fieldsHash: '' };
}

function live(resourceVersion: string, uid = 'u'): ObservedObject {
  return { ref, key, uid, resourceVersion, labels: {}, annotations: {}, finalizers: [], ownerUids: [], managedFields: [] };
}

function memoryWith(resourceVersion: string): ApplicationMemory {
  const metadata = { namespace: 'shop', name: 'web', uid: 'a', generation: 1, resourceVersion: '1', annotations: {}, finalizers: [] };
  const memory = createMemory({ ...metadata, spec: {} as Application['spec'] });
  memory.inventory = new Map([
    [key, { ref, uid: 'u', digest: 'd', baseline: baseline(resourceVersion), constructPath: '', position: '', revision: '' }],
  ]);
  return memory;
}

function observerOf(object: ObservedObject | undefined): ObjectObserver {
  return { get: () => object } as unknown as ObjectObserver;
}

describe('an object that a watch shows', () => {
  test.each<[string, ObservedObject | undefined, boolean]>([
    ['as our last apply left it', live('10'), false],
    ['as it was before our last apply', live('9'), false],
    ['newer than our last apply', live('11'), true],
    ['under another UID', live('11', 'other'), true],
    ['no more', undefined, true],
  ])('%s', (_, object, suspect) => {
    const memory = memoryWith('10');
    expect(noticeObject(memory, key, object)).toBe(suspect);
    expect(memory.suspects.has(key)).toBe(suspect);
  });

  test('while it is being written is judged by the answer, not before', () => {
    const memory = memoryWith('10');
    memory.inFlight.add(key);
    expect(noticeObject(memory, key, live('11'))).toBe(false);
    memory.answered.set(key, { baseline: baseline('11'), health: { state: 'Healthy', message: '' } });
    memory.inFlight.delete(key);
    judgeNoticed(memory, observerOf(live('11')));
    expect(memory.suspects.size).toBe(0);
    expect(memory.hasNewSuspects).toBe(false);
  });

  test('changed by somebody else while it is being written is a suspect when the answer is here', () => {
    const memory = memoryWith('10');
    memory.inFlight.add(key);
    noticeObject(memory, key, live('12'));
    memory.answered.set(key, { baseline: baseline('11'), health: { state: 'Healthy', message: '' } });
    memory.inFlight.delete(key);
    judgeNoticed(memory, observerOf(live('12')));
    expect([...memory.suspects]).toEqual([key]);
    expect(memory.hasNewSuspects).toBe(true);
  });

  test('as it was before an answered write says nothing, and the answer counts on', () => {
    const memory = memoryWith('10');
    memory.answered.set(key, { baseline: baseline('12'), health: { state: 'Progressing', message: '' } });
    expect(noticeObject(memory, key, live('11'))).toBe(false);
    expect(memory.answered.has(key)).toBe(true);
    expect(noticeObject(memory, key, live('12'))).toBe(false);
    expect(memory.answered.has(key)).toBe(false);
  });
});

test('a status written after our own apply, while the sync still waits, is not measured by what was applied before it', () => {
  const memory = memoryWith('10');
  const applied = { ...baseline('12'), generation: 2 };
  memory.written.set(key, applied);
  memory.answered.set(key, { baseline: applied, health: { state: 'Progressing', message: '' } });
  expect(noticeObject(memory, key, { ...live('12'), generation: 2 })).toBe(false);
  expect(memory.answered.has(key)).toBe(false);
  expect(noticeObject(memory, key, { ...live('13'), generation: 2 })).toBe(false);
  expect(noticeObject(memory, key, { ...live('14'), generation: 3 })).toBe(true);
});

test('what happened while nobody watched is judged at once', () => {
  const memory = memoryWith('10');
  judgeAll(memory, observerOf(live('10')));
  expect(memory.suspects.size).toBe(0);
  judgeAll(memory, observerOf(undefined));
  expect([...memory.suspects]).toEqual([key]);
});

test('A20 after a start, what is older than our last apply was restored from a backup and is judged by the server', () => {
  const memory = memoryWith('10');
  judgeAll(memory, observerOf(live('9')));
  expect([...memory.suspects]).toEqual([key]);
  const lagging = memoryWith('10');
  lagging.answered.set(key, { baseline: baseline('10'), health: { state: 'Healthy', message: '' } });
  judgeAll(lagging, observerOf(live('9')));
  expect(lagging.suspects.size).toBe(0);
});
