// What the log says about each event, and what it never lets through.
import { describe, expect, test } from '@jest/globals';
import { createLog } from '../../operator/events/log.ts';
import { OperatorError } from '../../operator/model/error.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import { outcomeOf, revisionOf } from './fixtures.ts';

function linesFor(events: readonly OperatorEvent[], level: 'trace' | 'info' = 'info'): string[] {
  const lines: string[] = [];
  const log = createLog(level, { write: (line: string) => void lines.push(line) });
  for (const event of events) log.subscriber(event);
  return lines;
}

function lineFor(event: OperatorEvent): Record<string, unknown> {
  const [line = '{}'] = linesFor([event], 'trace');
  return JSON.parse(line) as Record<string, unknown>;
}

describe('the log', () => {
  test('a sync is one line with the id that all of it shares', () => {
    const outcome = outcomeOf({ counts: { create: 1, update: 2, unchanged: 3, prune: 4, skip: 0, conflict: 0 } });
    expect(lineFor({ type: 'reconciled', application: 'shop/web', uid: 'u', syncId: 's-1', outcome })).toMatchObject({
      level: 'info',
      msg: 'synced: 3 objects, 7 written',
      application: 'shop/web',
      syncId: 's-1',
      revision: revisionOf().sha,
      seconds: 1.5,
      create: 1,
    });
  });

  test('a look that found nothing to do is not worth a line', () => {
    const outcome = outcomeOf({ result: { kind: 'synced', changed: false } });
    expect(linesFor([{ type: 'reconciled', application: 'shop/web', uid: 'u', syncId: 's-1', outcome }])).toEqual([]);
  });

  test('a failure carries its code, stage and fate', () => {
    const error = new OperatorError('fetch x', { code: 'FetchFailed', stage: 'source', fate: 'transient', hint: 'try y' });
    expect(lineFor({ type: 'failure', application: 'shop/web', error })).toMatchObject({
      ...{ level: 'error', msg: 'fetch x; try y', code: 'FetchFailed', stage: 'source', fate: 'transient' },
    });
  });

  test('W19 a commit subject cannot forge a line, colour a terminal or turn text around', () => {
    const revision = revisionOf({ subject: 'fix\n{"level":"error"}\u001b[31m\u009b\u202e\u2028' });
    const [line = ''] = linesFor([{ type: 'revision-seen', application: 'shop/web', revision }]);
    expect(line.trimEnd().split('\n')).toHaveLength(1);
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    expect((JSON.parse(line) as { msg: string }).msg).toContain('fix\\u000a{"level":"error"}\\u001b[31m\\u009b\\u202e\\u2028');
  });

  test('T8 a password in a URL is taken out wherever it stands', () => {
    const error = new OperatorError('fetch https://ada:hunter2@git.example.com/x', {
      code: 'FetchFailed',
      stage: 'source',
      fate: 'transient',
    });
    const lines = linesFor(
      [
        { type: 'failure', error },
        { type: 'source-fetched', url: 'https://ada:hunter2@git.example.com/x', result: 'failed', seconds: 1 },
      ],
      'trace',
    );
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('https://***@git.example.com/x');
  });
});
