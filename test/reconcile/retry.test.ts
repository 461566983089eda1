// Whether and when a look is repeated: a table.
import { describe, expect, test } from '@jest/globals';
import { OperatorError, type OperatorErrorDetails } from '../../operator/model/error.ts';
import type { Finding } from '../../operator/model/finding.ts';
import type { SyncResult } from '../../operator/model/outcome.ts';
import { decideRetry } from '../../operator/reconcile/retry.ts';

function failed(details: Partial<OperatorErrorDetails>, objects: readonly Partial<OperatorErrorDetails>[] = []): SyncResult {
  const make = (extra: Partial<OperatorErrorDetails>): OperatorError =>
    new OperatorError('apply Deployment shop/web', { code: 'ApplyRefused', stage: 'apply', fate: 'transient', ...extra });
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
  return { kind: 'failed', error: make(details), objects: objects.map((extra) => ({ ref, error: make(extra) })) };
}

function rejected(code: Finding['code']): SyncResult {
  return { kind: 'rejected', findings: [{ code, severity: 'error', message: '' }] };
}

function checkDecision(result: SyncResult, failures: number, random: number, expected: string): void {
  const decision = decideRetry(result, failures, random);
  expect(decision.kind === 'retry' ? `retry after ${decision.afterMilliseconds} ms` : decision.kind).toBe(expected);
}

describe('the decision about a retry', () => {
  test.each<[string, SyncResult, number, number, string]>([
    ['a synced Application', { kind: 'synced', changed: true }, 0, 0.5, 'done'],
    ['a suspended Application', { kind: 'suspended', cause: 'spec', message: 'suspended' }, 3, 0.5, 'done'],
    ['one that waits for health, which arrives as an event', { kind: 'progressing', message: '' }, 0, 0.5, 'done'],
    ['a type error, which only a commit can mend', rejected('UnknownField'), 0, 0.5, 'wait-for-change'],
    ['an unknown kind, whose CRD may come', rejected('UnknownKind'), 0, 0, 'retry after 2500 ms'],
    ['an app that did not end in time, maybe because of load', rejected('SynthTimeout'), 1, 0, 'retry after 5000 ms'],
    ['an app that did not end in time for the third time', rejected('SynthTimeout'), 2, 0, 'wait-for-change'],
    ['a missing permission, which may be granted', rejected('NoPermission'), 2, 0, 'retry after 10000 ms'],
    ['a terminal failure', failed({ fate: 'terminal' }), 0, 0.5, 'wait-for-change'],
    [
      'a terminal failure with a transient object in it',
      failed({ fate: 'terminal' }, [{ fate: 'transient' }]),
      0,
      0,
      'retry after 2500 ms',
    ],
    ['the first transient failure, luckiest draw', failed({}), 0, 0, 'retry after 2500 ms'],
    ['the first transient failure, unluckiest draw', failed({}), 0, 0.9999, 'retry after 5000 ms'],
    ['the third in a row', failed({}), 2, 0, 'retry after 10000 ms'],
    ['the hundredth in a row: never more than three minutes', failed({}), 99, 0.9999, 'retry after 179991 ms'],
    ['G19 a server that asked for a minute gets it', failed({ retryAfterSeconds: 60 }), 0, 0, 'retry after 60000 ms'],
    ['A4 one object whose server asked for 20 s', failed({}, [{ retryAfterSeconds: 20 }]), 0, 0.5, 'retry after 21000 ms'],
  ])('%s', (_, result, failures, random, expected) => {
    checkDecision(result, failures, random, expected);
  });
});
