// Synths that take long block only others that take long, and groups take turns.
import { describe, expect, test } from '@jest/globals';
import { SynthLanes } from '../../operator/reconcile/synth-lanes.ts';

/** Work that ends when the test says so. */
function pending(started: string[], name: string): { readonly work: () => Promise<void>; end(): void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    work: async () => {
      started.push(name);
      await ended;
    },
    end: () => end(),
  };
}

async function until(check: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!check()) {
    if (Date.now() > deadline) throw new Error('not in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('lanes of synths', () => {
  test('no more than the quick places are young at once', async () => {
    const started: string[] = [];
    const lanes = new SynthLanes({ quick: 1, slow: 0, slowAfterMilliseconds: 1 });
    const [one, two] = [pending(started, 'one'), pending(started, 'two')];
    const runs = [lanes.run('a', one.work), lanes.run('a', two.work)];
    await until(() => started.length === 1);
    one.end();
    await runs[0];
    await until(() => started.length === 2);
    two.end();
    await Promise.all(runs);
  });

  test('one that takes long makes way for a new one', async () => {
    const started: string[] = [];
    const lanes = new SynthLanes({ quick: 1, slow: 1, slowAfterMilliseconds: 5 });
    const [loop, blink] = [pending(started, 'loop'), pending(started, 'blink')];
    const runs = [lanes.run('a', loop.work), lanes.run('a', blink.work)];
    await until(() => started.includes('blink'));
    blink.end();
    await runs[1];
    loop.end();
    await Promise.all(runs);
  });

  test('T11 a group with many waiting lets another go before them', async () => {
    const started: string[] = [];
    const lanes = new SynthLanes({ quick: 1, slow: 0, slowAfterMilliseconds: 60_000 });
    const noisy = Array.from({ length: 5 }, (_, index) => pending(started, `noisy-${index}`));
    const quiet = pending(started, 'quiet');
    const runs = [...noisy.map(({ work }) => lanes.run('noisy', work)), lanes.run('quiet', quiet.work)];
    for (const { end } of [...noisy, quiet]) end();
    await Promise.all(runs);
    expect(started.indexOf('quiet')).toBeLessThanOrEqual(2);
  });

  test('work that throws gives its place back', async () => {
    const lanes = new SynthLanes({ quick: 1, slow: 0, slowAfterMilliseconds: 60_000 });
    await expect(lanes.run('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(lanes.run('a', () => Promise.resolve('fine'))).resolves.toBe('fine');
  });
});
