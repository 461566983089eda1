// Who leads, by tables; and that never two lead at once, in simulated elections with clocks that disagree, frozen processes and lost answers.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  initialLeaseState,
  type LeaseAction,
  type LeaseInput,
  type LeaseState,
  leaseAction,
  leaseStep,
  mayAct,
  type SeenLease,
} from '../../operator/cluster/lease-step.ts';
import { longestLease } from '../../operator/model/lease-times.ts';
import { simulate, simulations } from './lease-simulation.ts';

const settings = { identity: 'me', lease: 15_000, renewDeadline: 10_000, retry: 2_000 };

function lease(version: number, holder: string, seconds: number | undefined = 15): SeenLease {
  return { resourceVersion: String(version), holder, seconds, object: {} };
}

/** What happened, and when by the clock of this process. */
type Happened = readonly [at: number, input: LeaseInput];

const seen = (at: number, ...args: Parameters<typeof lease>): Happened => [at, { type: 'seen', lease: lease(...args) }];
const absent = (at: number): Happened => [at, { type: 'seen', lease: undefined }];
const stored = (at: number, sentAt: number, version: number, made = false): Happened => [
  at,
  { type: 'stored', lease: lease(version, 'me'), sentAt, made },
];
const refused = (at: number): Happened => [at, { type: 'refused' }];
const failed = (at: number): Happened => [at, { type: 'failed' }];

function after(happened: readonly Happened[]): LeaseState {
  return happened.reduce((state: LeaseState, [at, input]) => leaseStep(state, input, at, settings), initialLeaseState);
}

/** `read`, `take`, `make`, `wait 15000`, `end`. */
function actionText(action: LeaseAction): string {
  if (action.do === 'wait') return `wait ${action.until}`;
  if (action.do === 'write') return action.over === undefined ? 'make' : `write ${action.over.resourceVersion}`;
  return action.do;
}

function checkNext(happened: readonly Happened[], at: number, expected: string): void {
  const state = leaseStep(after(happened), { type: 'time' }, at, settings);
  expect(actionText(leaseAction(state, at, settings))).toBe(expected);
}

describe('a standby', () => {
  test.each<[string, readonly Happened[], number, string]>([
    ['reads before anything else', [], 0, 'read'],
    ['takes a Lease that nobody holds at once', [seen(100, 1, '')], 100, 'write 1'],
    ['waits for itself too, when an answer was lost', [seen(100, 1, 'me')], 100, 'wait 15100'],
    ['waits a whole lease for a holder that may be alive', [seen(100, 1, 'other')], 100, 'wait 15100'],
    ['begins anew with each renewal that it sees', [seen(100, 1, 'other'), seen(2_100, 2, 'other')], 2_100, 'wait 17100'],
    ['does not begin anew when the same record comes again', [seen(100, 1, 'other'), seen(9_000, 1, 'other')], 9_000, 'wait 15100'],
    ['does not listen to a record older than what it knows', [seen(100, 8, 'other'), seen(9_000, 7, 'other')], 9_000, 'wait 15100'],
    ['takes a Lease that stood still for a lease', [seen(100, 1, 'other')], 15_100, 'write 1'],
    ['takes it at once when the holder lets go', [seen(100, 1, 'other'), seen(5_000, 2, '')], 5_000, 'write 2'],
    ['leaves it to the leader to make again what was deleted', [seen(100, 1, 'other'), absent(9_000)], 9_000, 'wait 13000'],
    ['makes the Lease when nobody else does', [absent(100)], 4_100, 'make'],
    ['does not act on a Lease that it made: who led before may still act', [absent(0), stored(4_050, 4_000, 1, true)], 4_050, 'wait 19050'],
    ['takes the Lease that it made once it stood still', [absent(0), stored(4_050, 4_000, 1, true)], 19_050, 'write 1'],
    ['reads again when somebody was faster, and then waits', [seen(100, 1, ''), refused(200)], 200, 'read'],
    ['waits for the one who was faster', [seen(100, 1, ''), refused(200), seen(300, 2, 'other')], 300, 'wait 15300'],
    ['does not try again at once after a failure', [seen(100, 1, ''), failed(200)], 200, 'wait 2200'],
    ['tries again after a while', [seen(100, 1, ''), failed(200)], 2_200, 'write 1'],
    ['that could not even read waits too', [failed(200)], 200, 'wait 2200'],
    ['does not act on a write that took too long to be confirmed', [seen(0, 1, ''), stored(10_000, 0, 2)], 10_000, 'wait 25000'],
  ])('%s', (_, happened, at, expected) => checkNext(happened, at, expected));

  test.each<[string, number | undefined, number]>([
    ['longer than its own', 60, 60_000],
    ['shorter than its own', 1, 15_000],
    ['that is missing', undefined, 15_000],
    ['that is nonsense', Number.NaN, 15_000],
    ['below zero', -5, 15_000],
    ['of years', 2_147_483_647, longestLease],
  ])('L5 told of a lease %s waits no less than is safe and not for ever', (_, seconds, wait) => {
    checkNext([seen(0, 1, 'other', seconds)], 0, `wait ${wait}`);
  });
});

describe('the leader', () => {
  const won = [seen(0, 1, ''), stored(50, 0, 2)];

  test.each<[string, readonly Happened[], number, string]>([
    ['renews when the period is over, counted from when it sent the last renewal', won, 50, 'wait 2000'],
    ['renews over what it wrote', won, 2_000, 'write 2'],
    ['tries again after a failure', [...won, failed(2_100)], 2_100, 'wait 4100'],
    ['tries no later than its deadline', [...won, failed(9_000)], 9_000, 'wait 10000'],
    ['L2 ends at its deadline', [...won, failed(9_000)], 10_000, 'end'],
    ['reads when somebody wrote into the Lease', [...won, refused(2_100)], 2_100, 'read'],
    ['waits when it cannot read', [...won, refused(2_100), failed(2_200)], 2_200, 'wait 4200'],
    ['L5 goes on when the Lease still names it', [...won, refused(2_100), seen(2_200, 9, 'me', 77)], 2_200, 'write 9'],
    ['L5 writes itself in again when its name was taken out', [...won, refused(2_100), seen(2_200, 9, '')], 2_200, 'write 9'],
    ['L5 makes the Lease again when it was deleted', [...won, refused(2_100), absent(2_200)], 2_200, 'make'],
    ['L5 ends when the Lease names another', [...won, refused(2_100), seen(2_200, 9, 'other')], 2_200, 'end'],
    [
      'goes on with the Lease that it made again',
      [...won, refused(2_100), absent(2_200), stored(2_300, 2_200, 9, true)],
      2_300,
      'wait 4200',
    ],
    ['L8 ends when a renewal was confirmed only after the deadline', [...won, stored(12_100, 9_000, 3)], 12_100, 'end'],
    ['L8 goes on when a renewal was confirmed just in time', [...won, stored(9_900, 9_000, 3)], 10_500, 'wait 11000'],
    ['that has lost stays lost', [...won, [10_000, { type: 'time' }], stored(10_001, 10_000, 3)], 10_002, 'end'],
  ])('%s', (_, happened, at, expected) => checkNext(happened, at, expected));

  test.each([
    ['a standby', [seen(0, 1, '')], 0, false],
    ['the leader', won, 50, true],
    ['the leader just before its deadline', won, 9_999, true],
    ['L1 the leader at its deadline, though nobody has told it', won, 10_000, false],
    ['L8 the leader with a renewal that was confirmed late', [...won, stored(8_000, 2_000, 3)], 12_000, false],
  ] as const)('%s may write: %#', (_, happened, at, expected) => {
    expect(mayAct(after(happened), at, settings)).toBe(expected);
  });
});

describe('an election', () => {
  test('I8 L1 L4 never has two leaders, whatever is frozen, lost, deleted or late, and however clocks differ', () => {
    fc.assert(
      fc.property(simulations, (plan) => {
        const { mostAtOnce } = simulate(plan);
        expect(mostAtOnce).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  test('has a leader again once things are quiet', () => {
    fc.assert(
      fc.property(simulations, (plan) => {
        expect(simulate(plan).leadsAtEnd).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
