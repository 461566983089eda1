// Holds a Lease so that of several operators one acts: sends what lease-step.ts asks for, waits, and says at any instant whether this process may write.
import { OperatorError, toOperatorError } from '../model/error.ts';
import type { EmitEvent } from '../model/event.ts';
import type { LeaseTimes } from '../model/lease-times.ts';
import { statusOf } from './api-error.ts';
import type { ClusterConnection } from './connection.ts';
import type { LeaseClock } from './lease-clock.ts';
import { heldLease, type LeaseName, leaderAddress, parseLease, releasedLease } from './lease-record.ts';
import { initialLeaseState, type LeaseInput, type LeaseState, leaseAction, leaseStep, mayAct, type SeenLease } from './lease-step.ts';
import { startReflector } from './reflector.ts';
import { createRestClient, type OperatorClient } from './rest-client.ts';

/** What an election works with. */
export interface LeaderElectionOptions {
  /** Renewals have connections of their own: they must not wait behind an apply of thousands of objects. */
  readonly connection: ClusterConnection;
  readonly lease: LeaseName;
  readonly times: LeaseTimes;
  /** Unique to this process. */
  readonly identity: string;
  readonly clock: LeaseClock;
  /** Wall clock, for the times that people read in the Lease. */
  readonly now: () => Date;
  readonly emit: EmitEvent;
}

/** One process's part in an election. It leads at most once: who lost the lease must end. */
export interface LeaderElection {
  /** Begins. `address` is where other replicas reach this one's HTTP server. */
  start(address: string | undefined): void;
  /** Resolves when this process leads. */
  readonly elected: Promise<void>;
  /** Aborts when the lease is lost; the reason is the OperatorError `LeaseLost`. */
  readonly lost: AbortSignal;
  /** Throws OperatorError `LeaseLost` unless this process may write at this instant. */
  assertLeading(): void;
  /** Where the present leader answers HTTP; undefined when that is unknown, or when it is this process. */
  leaderAddress(): string | undefined;
  /** Lets go, so that another takes over at once. Nothing may be written afterwards. Resolves in any case. */
  close(): Promise<void>;
}

/** How long letting go may take. */
const releaseMilliseconds = 3_000;

/** An election that has not begun. Until it is won every `assertLeading` throws. */
export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const election = new Election(options);
  return {
    start: (address) => election.start(address),
    elected: election.elected.promise,
    lost: election.lost.signal,
    assertLeading: () => election.assertLeading(),
    leaderAddress: () => election.leaderAddress(),
    close: () => election.close(),
  };
}

class Election {
  readonly elected = Promise.withResolvers<void>();
  readonly lost = new AbortController();
  readonly #options: LeaderElectionOptions;
  readonly #client: OperatorClient;
  readonly #watch = new AbortController();
  readonly #requests = new AbortController();
  #state: LeaseState = initialLeaseState;
  #address: string | undefined;
  #told = '';
  #isClosing = false;
  #hasReleased = false;
  #running: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: LeaderElectionOptions) {
    const { connection, emit } = options;
    this.#options = options;
    // A renewal that was held up until the lease had run out must not be sent either.
    const guard = (): void => {
      if (this.#state.role !== 'standby' && !this.#mayAct()) throw this.#refusal();
    };
    this.#client = createRestClient({ connection, emit, userAgent: 'setpoint-operator/leader-election', guard });
  }

  start(address: string | undefined): void {
    this.#address = address;
    this.#running = this.#run();
  }

  assertLeading(): void {
    if (!this.#hasReleased && this.#mayAct()) return;
    if (this.#state.role === 'leading') this.#take({ type: 'time' });
    throw this.#refusal();
  }

  leaderAddress(): string | undefined {
    const { role } = this.#state;
    const seen = role === 'standby' ? this.#state.seen : undefined;
    return seen === undefined || seen === 'unknown' ? undefined : leaderAddress(seen);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#watch.abort();
    // A renewal under way is let end, so that it is known what is to be released.
    if (this.#state.role === 'standby') this.#requests.abort();
    this.#wake();
    await this.#running;
    await this.#release().catch((error: unknown) => this.#fail(error));
    clearTimeout(this.#deadline);
    await this.#client.close();
  }

  async #run(): Promise<void> {
    this.#follow();
    while (!this.#isClosing) {
      this.#take({ type: 'time' });
      const action = leaseAction(this.#state, this.#options.clock(), this.#settings());
      if (action.do === 'end') return;
      if (action.do === 'wait') await this.#waitUntil(action.until);
      else if (action.do === 'read') await this.#attempt(async () => this.#take({ type: 'seen', lease: await this.#read() }));
      else await this.#attempt(() => this.#write(action.over));
    }
  }

  /** A standby asks for nothing while the leader renews: it watches, and so learns at once when the leader lets go. */
  #follow(): void {
    const { name, namespace } = this.#options.lease;
    const collection = {
      path: collectionPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      metadataOnly: false,
      doing: `watch Lease ${this.#leaseName()}`,
      reduce: parseLease,
    };
    const listener = {
      // A late event of the time before it was won must not be taken for a loss.
      onChange: (_: string, lease: SeenLease | undefined) => !this.#watch.signal.aborted && this.#take({ type: 'seen', lease }),
      onFailure: (error: OperatorError) => this.#options.emit({ type: 'failure', error }),
    };
    startReflector(this.#client, collection, listener, this.#watch.signal);
  }

  #take(input: LeaseInput): void {
    this.#state = leaseStep(this.#state, input, this.#options.clock(), this.#settings());
    this.#tell();
    this.#wake();
    clearTimeout(this.#deadline);
    if (this.#state.role !== 'leading') return;
    // The loop may be waiting for an answer when the time is over.
    const left = this.#state.renewedAt + this.#options.times.renewDeadline - this.#options.clock();
    this.#deadline = setTimeout(() => this.#take({ type: 'time' }), Math.max(1, Math.ceil(left)));
  }

  #tell(): void {
    const { emit, identity } = this.#options;
    const state = this.#state;
    const seen = state.role === 'lost' || state.seen === 'unknown' ? undefined : state.seen;
    const holder = seen?.holder ?? '';
    const text = `${state.role} ${state.role === 'standby' ? holder : ''}`;
    // A standby that reads its own name is about to lead; that is told when it does.
    if (text === this.#told || (state.role === 'standby' && (state.seen === 'unknown' || holder === identity))) return;
    this.#told = text;
    const reason = state.role === 'lost' ? { reason: state.reason } : {};
    emit({ type: 'leadership', role: state.role, lease: this.#leaseName(), identity, ...(holder === '' ? {} : { holder }), ...reason });
    if (state.role !== 'standby') this.#watch.abort();
    if (state.role === 'leading') this.elected.resolve();
    if (state.role !== 'lost') return;
    this.#requests.abort();
    this.lost.abort(this.#refusal());
  }

  async #attempt(send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (statusOf(error) === 409) return this.#take({ type: 'refused' });
      if (!this.#requests.signal.aborted) this.#fail(error);
      this.#take({ type: 'failed' });
    }
  }

  async #read(): Promise<SeenLease | undefined> {
    try {
      return parseLease(await this.#send('GET'));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async #write(over: SeenLease | undefined): Promise<void> {
    const { lease, identity, times, clock, now } = this.#options;
    // Counted from here, not from the answer: others may have seen the renewal as early as now.
    const sentAt = clock();
    const holder = {
      identity,
      leaseMilliseconds: times.lease,
      now: now(),
      ...(this.#address === undefined ? {} : { address: this.#address }),
    };
    const body = heldLease(lease, over?.object, holder);
    try {
      const answer = await this.#send(over === undefined ? 'POST' : 'PUT', body);
      this.#take({ type: 'stored', lease: parseLease(answer), sentAt, made: over === undefined });
    } catch (error) {
      if (over === undefined || statusOf(error) !== 404) throw error;
      this.#take({ type: 'refused' });
    }
  }

  async #release(): Promise<void> {
    const { lease, now, emit, identity } = this.#options;
    if (!this.#mayAct() || this.#hasReleased) return;
    // From here on nothing else may be written: another may lead as soon as the server has this.
    this.#hasReleased = true;
    const state = this.#state;
    const known = state.role !== 'leading' || state.seen === 'unknown' ? undefined : state.seen;
    const put = (seen: SeenLease) => this.#send('PUT', releasedLease(lease, seen.object, now()), releaseMilliseconds);
    try {
      await put(known ?? (await this.#own()));
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      await put(await this.#own());
    }
    emit({ type: 'leadership', role: 'released', lease: this.#leaseName(), identity });
  }

  /** The Lease as it is now. Throws when it names another. */
  async #own(): Promise<SeenLease> {
    const seen = await this.#read();
    if (seen === undefined || seen.holder !== this.#options.identity) throw this.#refusal();
    return seen;
  }

  async #send(method: 'GET' | 'POST' | 'PUT', body?: ReturnType<typeof heldLease>, limit?: number) {
    const { lease, times } = this.#options;
    const path =
      method === 'POST' ? collectionPath(lease.namespace) : `${collectionPath(lease.namespace)}/${encodeURIComponent(lease.name)}`;
    const doing = `${{ GET: 'read', POST: 'make', PUT: 'renew' }[method]} Lease ${this.#leaseName()}`;
    // Half of it, so that a connection that hangs leaves time for another try.
    const timeoutMilliseconds = limit ?? Math.max(100, times.renewDeadline / 2);
    return this.#client.request({
      method,
      path,
      doing,
      timeoutMilliseconds,
      signal: this.#requests.signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  async #waitUntil(until: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(1, Math.ceil(until - this.#options.clock())));
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  #mayAct(): boolean {
    return mayAct(this.#state, this.#options.clock(), this.#options.times);
  }

  #settings() {
    return { ...this.#options.times, identity: this.#options.identity };
  }

  #leaseName(): string {
    return `${this.#options.lease.namespace}/${this.#options.lease.name}`;
  }

  #refusal(): OperatorError {
    const state = this.#state;
    const why =
      state.role === 'lost'
        ? `lost the Lease ${this.#leaseName()}: ${state.reason}`
        : `this operator does not hold the Lease ${this.#leaseName()}`;
    return new OperatorError(why, {
      ...{ code: 'LeaseLost', stage: 'cluster', fate: 'transient' },
      hint: 'another operator acts, or will; this one starts again as a standby',
    });
  }

  #fail(error: unknown): void {
    this.#options.emit({ type: 'failure', error: toOperatorError(error, 'cluster') });
  }
}

function collectionPath(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
}
