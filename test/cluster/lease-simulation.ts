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

/** What became of an election. */
export interface SimulationResult {
  /** The most that could act at one instant. */
  readonly mostAtOnce: number;
  readonly leadsAtEnd: boolean;
}

/** Plays an election: faults for two minutes, then quiet for two. */
export function simulate(plan: Simulation): SimulationResult {
  const run = new SimulatedElection(plan);
  let mostAtOnce = 0;
  while (run.now < faultyFor + quietFor) {
    run.next();
    mostAtOnce = Math.max(mostAtOnce, run.leaders());
  }
  return { mostAtOnce, leadsAtEnd: run.leaders() > 0 };
}

interface Replica {
  readonly index: number;
  identity: string;
  state: LeaseState;
  frozenUntil: number;
  isAsking: boolean;
  /** Grows with each timer, so that only the last one counts. */
  timer: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

type Request = Extract<LeaseAction, { do: 'read' | 'write' }>;

class SimulatedElection {
  now = 0;
  readonly #plan: Simulation;
  readonly #replicas: readonly Replica[];
  readonly #events: Event[] = [];
  #lease: SeenLease | undefined;
  /** Of events, versions, processes and messages so far. */
  readonly #counts = { events: 0, versions: 0, lives: 0, messages: 0 };

  constructor(plan: Simulation) {
    this.#plan = plan;
    this.#replicas = plan.clocks.map((_, index) => ({
      ...{ index, identity: '', state: initialLeaseState, frozenUntil: 0, isAsking: false, timer: 0 },
    }));
    for (const one of this.#replicas) this.#later(one.index, () => this.#start(one));
    for (const fault of plan.faults) this.#later(fault.at, () => this.#spoil(fault));
  }

  /** The next thing happens. */
  next(): void {
    const isEarlier = (left: Event, right: Event): boolean => left.at < right.at || (left.at === right.at && left.order < right.order);
    const event = this.#events.reduce((first, other) => (isEarlier(other, first) ? other : first));
    this.#events.splice(this.#events.indexOf(event), 1);
    this.now = event.at;
    event.run();
  }

  /** How many may act now, frozen ones included. */
  leaders(): number {
    return this.#replicas.filter((one) => mayAct(one.state, this.#clock(one), times)).length;
  }

  #spoil(fault: Fault): void {
    if (fault.type === 'freeze') {
      for (const one of this.#replicas) if (one.index === fault.replica) one.frozenUntil = this.now + fault.for;
    } else if (fault.type === 'delete') {
      this.#store(undefined);
    } else if (fault.type === 'tamper' && this.#lease !== undefined) {
      this.#store(this.#written(fault.holder === 'keep' ? this.#lease.holder : fault.holder, fault.seconds));
    }
  }

  #start(one: Replica): void {
    if (one.state.role !== 'lost' && one.identity !== '') return;
    this.#counts.lives += 1;
    Object.assign(one, { identity: `life ${this.#counts.lives}`, state: initialLeaseState, isAsking: false, frozenUntil: 0 });
    this.#take(one, { type: 'time' });
  }

  /** A frozen process learns of it when it goes on. */
  #take(one: Replica, input: LeaseInput): void {
    if (this.now < one.frozenUntil) {
      this.#laterFor(one, one.frozenUntil - this.now, () => this.#take(one, input));
      return;
    }
    one.state = leaseStep(one.state, input, this.#clock(one), { ...times, identity: one.identity });
    if (!one.isAsking) this.#act(one);
  }

  #act(one: Replica): void {
    const action = leaseAction(one.state, this.#clock(one), { ...times, identity: one.identity });
    one.timer += 1;
    const { timer } = one;
    if (action.do === 'end') this.#later(1_000, () => this.#start(one));
    else if (action.do === 'wait') {
      const wait = Math.max(1, (action.until - this.#clock(one)) / this.#rate(one));
      this.#laterFor(one, wait, () => one.timer === timer && this.#take(one, { type: 'time' }));
    } else this.#ask(one, action, this.#clock(one));
  }

  #ask(one: Replica, request: Request, sentAt: number): void {
    one.isAsking = true;
    if (this.#isCut(one, 'there')) this.#answer(one, { type: 'failed' });
    else {
      // It reaches the server even when its sender has ended meanwhile.
      const { identity } = one;
      this.#later(this.#latency(), () => this.#answer(one, this.#serve(identity, request, sentAt), identity));
    }
  }

  /** What the API server makes of a request. */
  #serve(identity: string, request: Request, sentAt: number): LeaseInput {
    if (request.do === 'read') return { type: 'seen', lease: this.#lease };
    if (request.over?.resourceVersion !== this.#lease?.resourceVersion) return { type: 'refused' };
    const lease = this.#written(identity);
    this.#store(lease);
    return { type: 'stored', lease, sentAt, made: request.over === undefined };
  }

  #answer(one: Replica, input: LeaseInput, identity = one.identity): void {
    const isLost = this.#isCut(one, 'back');
    this.#later(isLost ? 3_000 : this.#latency(), () => {
      if (one.identity !== identity) return;
      one.isAsking = false;
      this.#take(one, isLost ? { type: 'failed' } : input);
    });
  }

  #store(lease: SeenLease | undefined): void {
    this.#lease = lease;
    for (const one of this.#replicas) {
      this.#laterFor(one, this.#latency(), () => one.state.role === 'standby' && this.#take(one, { type: 'seen', lease }));
    }
  }

  #written(holder: string, seconds = times.lease / 1_000): SeenLease {
    this.#counts.versions += 1;
    return { resourceVersion: String(this.#counts.versions), holder, seconds, object: {} };
  }

  #isCut({ index }: Replica, way: 'there' | 'back'): boolean {
    const { now } = this;
    return this.#plan.faults.some(
      (fault) => fault.type === 'cut' && fault.replica === index && fault.way === way && now >= fault.at && now < fault.at + fault.for,
    );
  }

  #latency(): number {
    const { latencies } = this.#plan;
    this.#counts.messages += 1;
    return this.now > faultyFor ? 5 : (latencies[this.#counts.messages % latencies.length] ?? 1);
  }

  #rate({ index }: Replica): number {
    return this.#plan.clocks[index]?.rate ?? 1;
  }

  #clock(one: Replica): number {
    return this.now * this.#rate(one) + (this.#plan.clocks[one.index]?.offset ?? 0);
  }

  #later(after: number, run: () => void): void {
    this.#counts.events += 1;
    this.#events.push({ at: this.now + after, order: this.#counts.events, run });
  }

  /** Unless the process has ended by then. */
  #laterFor(one: Replica, after: number, run: () => void): void {
    const { identity } = one;
    this.#later(after, () => {
      if (one.identity === identity) run();
    });
  }
}
