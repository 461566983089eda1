// One source that is followed: when to look, one look at a time, back-off, and who is told. Where the ref is and what it holds is repository.ts.
import type { Clock } from '../model/clock.ts';
import { type OperatorError, toOperatorError } from '../model/error.ts';
import type { EmitEvent } from '../model/event.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { AcceptedHead, GoingBack } from './accepted-head.ts';
import { sourceError } from './errors.ts';
import type { HistoryRewrite, Subscription } from './ports.ts';
import { isRefusedWant } from './protocol/git-remote.ts';
import type { Repository } from './repository.ts';
import type { LookPolicy } from './source-options.ts';

/** What a followed source is made of. */
export interface FollowedSourceOptions {
  /** For events. */
  readonly url: string;
  /** Throws OperatorError for a source that can never work; that becomes its state. */
  readonly open: () => Repository;
  readonly clock: Clock;
  readonly emit: EmitEvent;
  readonly looks: LookPolicy;
  readonly random: () => number;
}

interface Subscriber {
  readonly interval: number;
  readonly requireFastForward: boolean;
  readonly onChange: () => void;
}

const defaultInterval = 15_000;
const shortestInterval = 50;
const raceRetries = 2;
const raceMilliseconds = 300;

/** One repository at one ref for everybody who uses it. */
export class FollowedSource {
  readonly #options: FollowedSourceOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #heads = new Map<boolean, AcceptedHead>();
  readonly #goingBack: GoingBack;
  /** Commits that were followed before anything is known here. */
  readonly #before = new Set<string>();
  readonly #closing = new AbortController();
  readonly #starts: number[] = [];
  #repository: Repository | undefined;
  #newest: Snapshot | undefined;
  #running: Promise<void> | undefined;
  #due = true;
  #followUps: readonly number[] = [];
  #failures = 0;
  #timer = new AbortController();

  constructor(options: FollowedSourceOptions) {
    this.#options = options;
    this.#goingBack = new GoingBack(options.looks);
  }

  /** True when nobody is subscribed. */
  get isUnused(): boolean {
    return this.#subscribers.size === 0;
  }

  /** When the last look began, in the clock's monotonic time. */
  get lastLook(): number {
    return this.#starts.at(-1) ?? 0;
  }

  /** Tells of a commit that was followed by an operator before this one. Only the first look heeds it. */
  remember(commit: string): void {
    if (this.#newest === undefined) this.#before.add(commit);
  }

  subscribe(interval: number, requireFastForward: boolean, onChange: () => void): Subscription {
    const subscriber: Subscriber = { interval, requireFastForward, onChange };
    this.#head(requireFastForward);
    if (this.isUnused && this.#options.clock.monotonic() - this.lastLook > interval) this.#due = true;
    this.#subscribers.add(subscriber);
    if (this.#due) void this.#settle();
    else this.#schedule(this.#jittered(this.#interval()));
    return {
      close: () => {
        this.#subscribers.delete(subscriber);
        if (this.isUnused) this.#timer.abort();
      },
    };
  }

  /** The newest accepted commit, after any look that is due. Throws OperatorError, or the signal's reason. */
  async snapshot(requireFastForward: boolean, signal: AbortSignal): Promise<Snapshot> {
    const head = this.#head(requireFastForward);
    if (this.isUnused && this.#options.clock.monotonic() - this.lastLook > defaultInterval) this.#due = true;
    await abortable(this.#settle(), signal);
    if (head.error !== undefined) throw head.error;
    if (head.snapshot === undefined) throw this.#closing.signal.reason;
    return head.snapshot;
  }

  lastGood(requireFastForward: boolean): Snapshot | undefined {
    return this.#head(requireFastForward).snapshot;
  }

  takeRewrite(requireFastForward: boolean): HistoryRewrite | undefined {
    return this.#head(requireFastForward).takeRewrite();
  }

  /** Looks now, or once more after the look that is running. */
  look(): void {
    this.#due = true;
    this.#followUps = this.#options.looks.followUpMilliseconds;
    void this.#settle();
  }

  /** Ends looking; whoever waits gets the reason. */
  close(reason: OperatorError): void {
    this.#closing.abort(reason);
    this.#timer.abort();
    this.#subscribers.clear();
  }

  /** Resolves when no look is running or due. Never rejects. */
  async #settle(): Promise<void> {
    while ((this.#running !== undefined || this.#due) && !this.#closing.signal.aborted) {
      this.#running ??= this.#lookOnce().finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    }
  }

  async #lookOnce(): Promise<void> {
    const { clock, emit, url } = this.#options;
    const before = new Map([...this.#heads].map(([policy, head]) => [policy, head.state]));
    this.#timer.abort();
    const { signal } = this.#closing;
    let result: 'changed' | 'unchanged' | 'failed' = 'failed';
    let started = clock.monotonic();
    try {
      await this.#waitForBurst(signal);
      this.#due = false;
      started = clock.monotonic();
      this.#starts.push(started);
      this.#repository ??= this.#options.open();
      result = await this.#follow(this.#repository, signal);
      this.#failures = 0;
    } catch (error) {
      this.#due = false;
      if (signal.aborted) return;
      this.#fail(toOperatorError(error, 'source'));
    }
    emit({ type: 'source-fetched', url, result, seconds: (clock.monotonic() - started) / 1000 });
    if (!this.isUnused) this.#schedule(this.#nextDelay(result));
    this.#notify(before);
  }

  /** Looks, fetches and decides. A server whose replicas disagree may refuse a commit it has just named: then it is asked again. */
  async #follow(repository: Repository, signal: AbortSignal): Promise<'changed' | 'unchanged'> {
    for (let retry = 0; ; retry += 1) {
      const conversation = { signal, fresh: this.#goingBack.isDoubtful || retry > 0 };
      const target = await repository.look(conversation);
      const commit = target.commit ?? target.want;
      if (this.#newest !== undefined && !this.#goingBack.mayFollow(commit, this.#options.clock.monotonic())) {
        this.#clearErrors();
        return 'unchanged';
      }
      try {
        const next = await repository.fetch(target, conversation);
        if (this.#newest === undefined) await this.#expectToFollow(repository, next, commit, signal);
        return await this.#move(repository, next, signal);
      } catch (error) {
        if (repository.isPinned || retry >= raceRetries || !isRefusedWant(error)) throw error;
        await this.#options.clock.sleep(raceMilliseconds, signal);
      }
    }
  }

  /** A first commit that does not come after those followed before may be the answer of a replica that lags behind. Throws until it is confirmed. */
  async #expectToFollow(repository: Repository, next: Snapshot, commit: string, signal: AbortSignal): Promise<void> {
    for (const before of repository.isPinned ? [] : this.#before) {
      if (before === next.revision.sha) continue;
      const relation = await repository.relation(before, next, { signal }).catch(() => 'unknown' as const);
      if (relation === 'descendant') continue;
      this.#goingBack.doubt(commit);
      if (this.#goingBack.mayFollow(commit, this.#options.clock.monotonic())) return;
      const names = `${next.ref} is at ${next.revision.sha.slice(0, 8)}, which does not come after ${before.slice(0, 8)}`;
      throw sourceError('FetchFailed', `follow ${next.ref}: ${names}, the commit followed before`, {
        hint: 'it is asked again a few times, since a replica of the server may lag behind, and followed if it stays there',
      });
    }
  }

  async #move(repository: Repository, next: Snapshot, signal: AbortSignal): Promise<'changed' | 'unchanged'> {
    const previous = this.#newest?.revision.sha;
    const relations = new Map<string, ReturnType<Repository['relation']>>();
    const relationOf = (from: string, to: Snapshot): ReturnType<Repository['relation']> => {
      const relation = relations.get(from) ?? repository.relation(from, to, { signal });
      relations.set(from, relation);
      return relation;
    };
    for (const head of this.#heads.values()) await head.accept(next, relationOf);
    this.#newest = next;
    if (previous === next.revision.sha) return 'unchanged';
    this.#goingBack.moved(previous, next);
    this.#followUps = [];
    return 'changed';
  }

  #clearErrors(): void {
    for (const head of this.#heads.values()) if (head.error?.code !== 'NotFastForward') head.error = undefined;
  }

  #fail(error: OperatorError): void {
    this.#failures += 1;
    for (const head of this.#heads.values()) head.error = error;
  }

  #notify(before: ReadonlyMap<boolean, string>): void {
    for (const { requireFastForward, onChange } of [...this.#subscribers]) {
      if (this.#head(requireFastForward).state === before.get(requireFastForward)) continue;
      try {
        onChange();
      } catch (error) {
        this.#options.emit({ type: 'failure', error: toOperatorError(error, 'source') });
      }
    }
  }

  #nextDelay(result: 'changed' | 'unchanged' | 'failed'): number {
    const { looks } = this.#options;
    const interval = this.#interval();
    if (result === 'failed') {
      const error = [...this.#heads.values()][0]?.error;
      const first = error?.fate === 'terminal' ? interval : looks.firstRetryMilliseconds;
      const backedOff = Math.min(first * 2 ** Math.min(this.#failures - 1, 20), Math.max(interval, looks.longestRetryMilliseconds));
      return Math.max(this.#jittered(backedOff), (error?.retryAfterSeconds ?? 0) * 1000);
    }
    if (this.#goingBack.isDoubtful) return looks.confirmMilliseconds / Math.max(1, looks.confirmLooks - 1);
    const [followUp, ...later] = this.#followUps;
    this.#followUps = later;
    return Math.min(followUp ?? Number.POSITIVE_INFINITY, this.#jittered(interval));
  }

  #interval(): number {
    const intervals = [...this.#subscribers].map(({ interval }) => interval);
    return Math.max(shortestInterval, intervals.length === 0 ? defaultInterval : Math.min(...intervals));
  }

  #jittered(milliseconds: number): number {
    return milliseconds * (0.9 + 0.2 * this.#options.random());
  }

  #schedule(delay: number): void {
    this.#timer.abort();
    const timer = new AbortController();
    this.#timer = timer;
    this.#options.clock.sleep(delay, timer.signal).then(
      () => {
        this.#due = true;
        void this.#settle();
      },
      () => undefined,
    );
  }

  async #waitForBurst(signal: AbortSignal): Promise<void> {
    const { clock, looks } = this.#options;
    while (this.#starts.length >= looks.burst) {
      const wait = (this.#starts[0] ?? 0) + looks.burstMilliseconds - clock.monotonic();
      if (wait > 0) await clock.sleep(wait, signal);
      this.#starts.shift();
    }
  }

  #head(requireFastForward: boolean): AcceptedHead {
    let head = this.#heads.get(requireFastForward);
    if (head === undefined) {
      head = new AcceptedHead(requireFastForward);
      const other = this.#heads.get(!requireFastForward);
      head.snapshot = this.#newest;
      head.error = other?.error?.code === 'NotFastForward' ? undefined : other?.error;
      this.#heads.set(requireFastForward, head);
    }
    return head;
  }
}

/** The promise's result, or the signal's reason, whichever comes first. */
async function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
