// Elections in simulated time: several processes with clocks of their own, one Lease, requests and watches that take time, and faults. What they decide is the product's code.
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

const times = { lease: 15_000, renewDeadline: 10_000, retry: 2_000 };
const faultyFor = 120_000;
const quietFor = 120_000;

type Fault =
  /** A process stands still. */
  | { readonly type: 'freeze'; readonly at: number; readonly replica: number; readonly for: number }
  /** Requests of a process are lost on the way there or back. */
  | { readonly type: 'cut'; readonly at: number; readonly replica: number; readonly for: number; readonly way: 'there' | 'back' }
  | { readonly type: 'delete'; readonly at: number }
  /** Somebody writes into the Lease. */
  | { readonly type: 'tamper'; readonly at: number; readonly holder: 'keep' | 'mallory'; readonly seconds: number };

/** What happens in one election. */
export interface Simulation {
  /** How fast and how far off each process's clock is. */
  readonly clocks: readonly { readonly rate: number; readonly offset: number }[];
  /** Milliseconds that messages take, in turn. */
  readonly latencies: readonly number[];
  readonly faults: readonly Fault[];
}

const instant = fc.integer({ min: 0, max: faultyFor });
const replica = fc.integer({ min: 0, max: 2 });
const duration = fc.integer({ min: 100, max: 40_000 });

/** Elections of two or three processes. Clocks differ by up to a third in rate, which is what a lease half as long again as the deadline allows. */
export const simulations: fc.Arbitrary<Simulation> = fc.record({
  clocks: fc.array(
    fc.record({ rate: fc.double({ min: 0.85, max: 1.15, noNaN: true }), offset: fc.integer({ min: -1_000_000, max: 1_000_000 }) }),
    { minLength: 2, maxLength: 3 },
  ),
  latencies: fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 12_000 })), { minLength: 1, maxLength: 20 }),
  faults: fc.array(
    fc.oneof(
      fc.record({ type: fc.constant('freeze' as const), at: instant, replica, for: duration }),
      fc.record({
        ...{ type: fc.constant('cut' as const), at: instant, replica, for: duration },
        way: fc.constantFrom('there' as const, 'back' as const),
      }),
      fc.record({ type: fc.constant('delete' as const), at: instant }),
      fc.record({
        ...{ type: fc.constant('tamper' as const), at: instant },
        ...{ holder: fc.constantFrom('keep' as const, 'mallory' as const), seconds: fc.constantFrom(1, 15, 40) },
      }),
    ),
    { maxLength: 8 },
  ),
});

interface Replica {
  identity: string;
  state: LeaseState;
  frozenUntil: number;
  isAsking: boolean;
  /** Grows with each timer, so that only the last one counts. */
  timer: number;
}

/** Plays an election. */
export function simulate({ clocks, latencies, faults }: Simulation): { readonly mostAtOnce: number; readonly leadsAtEnd: boolean } {
  let now = 0;
  let order = 0;
  let version = 0;
  let lives = 0;
  let turn = 0;
  let mostAtOnce = 0;
  let lease: SeenLease | undefined;
  const events: { at: number; order: number; run: () => void }[] = [];
  const later = (after: number, run: () => void): void => void events.push({ at: now + after, order: order++, run });
  const latency = (): number => (now > faultyFor ? 5 : (latencies[turn++ % latencies.length] ?? 1));
  const replicas: Replica[] = clocks.map(() => ({ identity: '', state: initialLeaseState, frozenUntil: 0, isAsking: false, timer: 0 }));
  const clockOf = (index: number): number => now * (clocks[index]?.rate ?? 1) + (clocks[index]?.offset ?? 0);
  const settingsOf = ({ identity }: Replica) => ({ ...times, identity });
  const isCut = (index: number, way: 'there' | 'back'): boolean =>
    faults.some(
      (fault) => fault.type === 'cut' && fault.replica === index && fault.way === way && now >= fault.at && now < fault.at + fault.for,
    );

  const store = (next: SeenLease | undefined): void => {
    lease = next;
    replicas.forEach((watcher, index) => {
      const { identity } = watcher;
      const delay = latency();
      later(delay, () => watcher.identity === identity && watcher.state.role === 'standby' && take(index, { type: 'seen', lease: next }));
    });
  };
  const written = (holder: string, seconds = times.lease / 1_000): SeenLease => ({
    resourceVersion: String(++version),
    holder,
    seconds,
    object: {},
  });

  /** A frozen process learns of it when it goes on. */
  const take = (index: number, input: LeaseInput): void => {
    const one = replicas[index];
    if (one === undefined) return;
    if (now < one.frozenUntil) {
      const { identity } = one;
      return later(one.frozenUntil - now, () => one.identity === identity && take(index, input));
    }
    one.state = leaseStep(one.state, input, clockOf(index), settingsOf(one));
    act(index, one);
  };

  const act = (index: number, one: Replica): void => {
    if (one.isAsking) return;
    const action = leaseAction(one.state, clockOf(index), settingsOf(one));
    if (action.do === 'end') return later(1_000, () => start(index, one));
    if (action.do === 'wait') {
      const timer = ++one.timer;
      const { identity } = one;
      const wait = Math.max(1, (action.until - clockOf(index)) / (clocks[index]?.rate ?? 1));
      return later(wait, () => one.identity === identity && one.timer === timer && take(index, { type: 'time' }));
    }
    ask(index, one, action);
  };

  const ask = (index: number, one: Replica, action: Extract<LeaseAction, { do: 'read' | 'write' }>): void => {
    const { identity } = one;
    const sentAt = clockOf(index);
    one.isAsking = true;
    one.timer += 1;
    const answer = (input: LeaseInput): void => {
      const isLost = isCut(index, 'back');
      later(isLost ? 3_000 : latency(), () => {
        if (one.identity !== identity) return;
        one.isAsking = false;
        take(index, isLost ? { type: 'failed' } : input);
      });
    };
    if (isCut(index, 'there')) return answer({ type: 'failed' });
    later(latency(), () => {
      if (action.do === 'read') return answer({ type: 'seen', lease });
      if (action.over?.resourceVersion !== lease?.resourceVersion) return answer({ type: 'refused' });
      const mine = written(identity);
      store(mine);
      answer({ type: 'stored', lease: mine, sentAt, made: action.over === undefined });
    });
  };

  const start = (index: number, one: Replica): void => {
    if (one.state.role !== 'lost' && one.identity !== '') return;
    Object.assign(one, { identity: `life ${++lives}`, state: initialLeaseState, isAsking: false, frozenUntil: 0 });
    take(index, { type: 'time' });
  };

  for (const fault of faults) {
    later(fault.at, () => {
      if (fault.type === 'freeze') Object.assign(replicas[fault.replica] ?? {}, { frozenUntil: now + fault.for });
      else if (fault.type === 'delete') store(undefined);
      else if (fault.type === 'tamper' && lease !== undefined) {
        store(written(fault.holder === 'keep' ? lease.holder : fault.holder, fault.seconds));
      }
    });
  }
  replicas.forEach((one, index) => later(index, () => start(index, one)));

  while (now < faultyFor + quietFor) {
    const next = events.reduce((first, event) =>
      event.at < first.at || (event.at === first.at && event.order < first.order) ? event : first,
    );
    events.splice(events.indexOf(next), 1);
    now = next.at;
    next.run();
    const leaders = replicas.filter(({ state }, index) => mayAct(state, clockOf(index), times));
    mostAtOnce = Math.max(mostAtOnce, leaders.length);
  }
  return { mostAtOnce, leadsAtEnd: replicas.some(({ state }, index) => mayAct(state, clockOf(index), times)) };
}
