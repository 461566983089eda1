// The decisions of a reflector, without a server: what is told, what is asked next.
import { describe, expect, test } from '@jest/globals';
import {
  initialState,
  type ReflectedItem,
  type ReflectorInput,
  type ReflectorState,
  reflectorStep,
} from '../../operator/cluster/reflector-step.ts';

type Input = ReflectorInput<string>;
const item = (key: string, resourceVersion: string): ReflectedItem<string> => ({ key, uid: `uid-${key}`, resourceVersion, value: key });
const page = (resourceVersion: string, continueToken = '', ...items: ReflectedItem<string>[]): Input => ({
  type: 'page',
  items,
  continueToken,
  resourceVersion,
});

/** What each input leads to, one line each: `list+200ms`, `watch@7 replace a,b`. */
function checkSteps(inputs: readonly Input[], expected: readonly string[]): ReflectorState<string> {
  let state = initialState<string>();
  const lines = inputs.map((input) => {
    const step = reflectorStep(state, input);
    state = step.state;
    const { change } = step;
    const told =
      change === undefined
        ? ''
        : ` ${change.type} ${change.type === 'replace' && change.isRewound ? 'rewound ' : ''}${change.type === 'replace' ? change.items.map(({ key }) => key).join(',') : change.item.key}`;
    const wait = step.next.afterMilliseconds === 0 ? '' : `+${step.next.afterMilliseconds}ms`;
    return `${step.next.do}${step.next.do === 'watch' ? `@${state.resourceVersion}` : ''}${wait}${told}`;
  });
  expect(lines).toEqual(expected);
  return state;
}

describe('lists', () => {
  test('pages are told together, after the last one', () => {
    checkSteps([page('5', 'more', item('a', '1')), page('5', '', item('b', '2'))], ['list', 'watch@5 replace a,b']);
  });

  test('A17 a continue token that expired mid-list throws the half list away and starts over', () => {
    checkSteps(
      [page('5', 'more', item('a', '1')), { type: 'failed', status: 410 }, page('9', '', item('b', '2'))],
      ['list', 'list', 'watch@9 replace b'],
    );
  });

  test('A17 a connection lost mid-list tells nothing', () => {
    const state = checkSteps([page('5', 'more', item('a', '1')), { type: 'failed' }], ['list', 'list+200ms']);
    expect(state.pages).toEqual([]);
  });

  test('A16 a list older than what was seen is asked for again, so that a stale replica deletes nothing', () => {
    checkSteps(
      [page('100', '', item('a', '1')), { type: 'failed', status: 410 }, page('40')],
      ['watch@100 replace a', 'list', 'list+800ms'],
    );
  });

  test('A20 a list that stays older is believed after three more: the cluster was restored', () => {
    checkSteps(
      [page('100'), { type: 'failed', status: 410 }, page('40'), page('40'), page('40'), page('40', '', item('b', '3'))],
      ['watch@100 replace ', 'list', 'list+800ms', 'list+1600ms', 'list+3200ms', 'watch@40 replace rewound b'],
    );
  });
});

describe('watches', () => {
  test('events and bookmarks move the version from which a broken watch goes on', () => {
    checkSteps(
      [page('5'), { type: 'put', item: item('a', '6') }, { type: 'bookmark', resourceVersion: '12' }, { type: 'failed' }],
      ['watch@5 replace ', 'read put a', 'read', 'watch@12+200ms'],
    );
  });

  test('A19 an event that is older than what was read puts the stream in doubt: everything is listed again', () => {
    checkSteps([page('10'), { type: 'put', item: item('a', '9') }], ['watch@10 replace ', 'list+200ms']);
    checkSteps([page('10'), { type: 'remove', item: item('a', '8') }], ['watch@10 replace ', 'list+200ms']);
    checkSteps(
      [page('10'), { type: 'put', item: item('a', '11') }, { type: 'put', item: item('a', '11') }],
      ['watch@10 replace ', 'read put a', 'read put a'],
    );
  });

  test('A20 a bookmark that is older than what was read: the server has another history, which is listed', () => {
    checkSteps([page('10'), { type: 'bookmark', resourceVersion: '7' }], ['watch@10 replace ', 'list+200ms']);
  });

  test('A16 a server that was away is listed, one lost connection is not', () => {
    checkSteps(
      [page('10'), { type: 'failed' }, { type: 'failed' }, page('11')],
      ['watch@10 replace ', 'watch@10+200ms', 'list+400ms', 'watch@11 replace '],
    );
    checkSteps(
      [page('10'), { type: 'failed', status: 503 }, { type: 'failed', status: 503 }],
      ['watch@10 replace ', 'watch@10+200ms', 'watch@10+400ms'],
    );
  });

  test('A18 410 leads to a new list at once, and to a slower one when it comes again', () => {
    checkSteps([page('5'), { type: 'failed', status: 410 }, { type: 'failed', status: 410 }], ['watch@5 replace ', 'list', 'list+400ms']);
  });

  test('A18 a line that cannot be read ends the watch, which goes on from before it; the second time everything is listed', () => {
    checkSteps([page('5'), { type: 'malformed' }, { type: 'malformed' }], ['watch@5 replace ', 'watch@5+200ms', 'list+400ms']);
  });

  test('the end of a long watch is normal; watches that end at once are opened ever more slowly', () => {
    checkSteps(
      [
        page('5'),
        { type: 'closed', livedMilliseconds: 300_000 },
        { type: 'closed', livedMilliseconds: 3 },
        { type: 'closed', livedMilliseconds: 3 },
        { type: 'closed', livedMilliseconds: 3 },
      ],
      ['watch@5 replace ', 'watch@5', 'watch@5', 'watch@5+200ms', 'watch@5+400ms'],
    );
  });

  test('failures wait longer and longer, half a minute at most, and as long as the server says', () => {
    const failed = { type: 'failed' } as const;
    const waits = Array.from({ length: 12 }, () => failed).reduce(
      (steps, input) => {
        const step = reflectorStep(steps.state, input);
        return { state: step.state, waits: [...steps.waits, step.next.afterMilliseconds] };
      },
      { state: initialState<string>(), waits: [] as number[] },
    ).waits;
    expect(waits.slice(0, 4)).toEqual([200, 400, 800, 1600]);
    expect(Math.max(...waits)).toBe(30_000);
    checkSteps([page('5'), { type: 'failed', status: 429, retryAfterSeconds: 7 }], ['watch@5 replace ', 'watch@5+7000ms']);
  });
});
