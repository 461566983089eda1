// The keyed work queue: one job per key, a bounded number at once, groups take turns.
import { describe, expect, test } from '@jest/globals';
import { type Work, WorkQueue, type WorkSlot } from '../../operator/reconcile/queue.ts';

/** Jobs that end when the test says so. */
class Jobs {
  readonly started: string[] = [];
  readonly #open = new Map<string, () => void>();
  readonly slots = new Map<string, WorkSlot>();

  readonly work: Work = (key, slot) => {
    this.started.push(key);
    this.slots.set(key, slot);
    return new Promise((resolve) => this.#open.set(key, resolve));
  };

  async end(key: string): Promise<void> {
    this.#open.get(key)?.();
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

function makeQueue(workers: number): { queue: WorkQueue; jobs: Jobs; errors: string[] } {
  const jobs = new Jobs();
  const errors: string[] = [];
  return {
    queue: new WorkQueue({ workers, work: jobs.work, onError: (key, error) => errors.push(`${key}: ${String(error)}`) }),
    jobs,
    errors,
  };
}

describe('the work queue', () => {
  test('a key added many times while it waits runs once', async () => {
    const { queue, jobs } = makeQueue(1);
    for (const key of ['a/1', 'b/1', 'b/1', 'b/1']) queue.add(key);
    await jobs.end('a/1');
    await jobs.end('b/1');
    expect(jobs.started).toEqual(['a/1', 'b/1']);
  });

  test('a key added while it runs runs once more, never twice at a time', async () => {
    const { queue, jobs } = makeQueue(4);
    queue.add('a/1');
    queue.add('a/1');
    queue.add('a/1');
    expect(jobs.started).toEqual(['a/1']);
    await jobs.end('a/1');
    expect(jobs.started).toEqual(['a/1', 'a/1']);
    await jobs.end('a/1');
    expect(jobs.started).toHaveLength(2);
  });

  test('no more jobs than workers are under way', async () => {
    const { queue, jobs } = makeQueue(2);
    for (const key of ['a/1', 'a/2', 'a/3']) queue.add(key);
    expect(jobs.started).toEqual(['a/1', 'a/2']);
    expect(queue.counts()).toEqual({ waiting: 1, running: 2, parked: 0 });
    await jobs.end('a/2');
    expect(jobs.started).toEqual(['a/1', 'a/2', 'a/3']);
  });

  test('T11 a thousand keys of one namespace delay a key of another by one job', async () => {
    const { queue, jobs } = makeQueue(1);
    for (let index = 0; index < 1_000; index += 1) queue.add(`noisy/${index}`);
    queue.add('quiet/1');
    await jobs.end('noisy/0');
    await jobs.end(jobs.started[1] ?? '');
    expect(jobs.started.slice(0, 3)).toContain('quiet/1');
  });

  test('a parked job gives its worker to another key and keeps its own key', async () => {
    const { queue, jobs } = makeQueue(1);
    queue.add('a/1');
    queue.add('b/1');
    let endWait = (): void => undefined;
    const waiting = jobs.slots.get('a/1')?.park(() => new Promise<void>((resolve) => (endWait = resolve)));
    queue.add('a/1');
    expect(jobs.started).toEqual(['a/1', 'b/1']);
    endWait();
    await waiting;
    await jobs.end('b/1');
    expect(jobs.started).toEqual(['a/1', 'b/1']);
    await jobs.end('a/1');
    expect(jobs.started).toEqual(['a/1', 'b/1', 'a/1']);
  });

  test('T12 a job that throws is reported and stops nobody', async () => {
    const errors: string[] = [];
    const started: string[] = [];
    const work: Work = async (key) => {
      started.push(key);
      if (key === 'a/1') throw new Error('poison');
    };
    const queue = new WorkQueue({ workers: 1, work, onError: (key, error) => errors.push(`${key}: ${String(error)}`) });
    queue.add('a/1');
    queue.add('a/2');
    await settle();
    expect(started).toEqual(['a/1', 'a/2']);
    expect(errors).toEqual(['a/1: Error: poison']);
  });

  test('L7 closing takes nothing more and waits for what is under way', async () => {
    const { queue, jobs } = makeQueue(1);
    queue.add('a/1');
    queue.add('a/2');
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    queue.add('a/4');
    await settle();
    expect(closed).toBe(false);
    await jobs.end('a/1');
    await closing;
    expect(jobs.started).toEqual(['a/1']);
  });
});
