// One turn for one Application: which look it needs, what became of it, and when the next is due. The looks themselves are in their own files.
import { randomUUID } from 'node:crypto';
import { reconcileRequestedAnnotation } from '../../constructs/annotations.ts';
import { type Application, applicationKey } from '../model/application.ts';
import { toOperatorError } from '../model/error.ts';
import type { ApplicationKey } from '../model/event.ts';
import type { Outcome } from '../model/outcome.ts';
import { describeSuspension, type Suspension, suspensionOf } from '../model/suspension.ts';
import type { Subscription } from '../source/ports.ts';
import { deriveStatus } from '../status/derive-status.ts';
import { type ApplicationMemory, createMemory, type Reason } from './application-memory.ts';
import { millisecondsOf } from './duration.ts';
import { healDelay, isFought } from './heal-limits.ts';
import { chooseLook, type Look } from './look.ts';
import type { OwnedObjects } from './owned-objects.ts';
import type { Parts } from './parts.ts';
import { type QueueCounts, WorkQueue, type WorkSlot } from './queue.ts';
import { decideRetry } from './retry.ts';
import { sourceKey, sourceOf } from './source-of.ts';
import { takeLook } from './take-look.ts';
import { Timers } from './timers.ts';

/** What the controller works with. */
export interface ControllerOptions {
  readonly parts: Parts;
  readonly owned: OwnedObjects;
  /** Ends every look. */
  readonly signal: AbortSignal;
  /** In [0, 1); spreads retries. */
  readonly random: () => number;
  /** Applications worked on at once; those that only wait are not counted. */
  readonly workers: number;
}

/** Whether looking at health again found anything. Which of many objects is still on its way is none: it changes a thousand times in a rollout. */
function isNews(outcome: Outcome, last: Outcome | undefined): boolean {
  const text = (of: Outcome | undefined): string => {
    const decisive = of?.health.state === 'Progressing' ? [] : [of?.health.message, of?.health.decidedBy];
    return JSON.stringify([of?.result.kind, of?.health.state, ...decisive]);
  };
  return text(outcome) !== text(last);
}

/** When a look is followed by another of its own accord: soon, but never so soon that nobody else gets a turn. */
const soonMilliseconds = 10;
/** For how long changes of health are gathered before they are looked at. */
const gatherMilliseconds = 50;
/** How often the status names another object that is on its way while nothing else changes. */
const progressMilliseconds = 1_000;
/** A timer may be due a moment before the wait it was set for has run out. */
const shortestHealWaitMilliseconds = 50;
/** When a status that could not be written is tried again. */
const statusRetryMilliseconds = 5_000;

/** The memories of all Applications and the turns they take. */
export class ApplicationController {
  readonly #options: ControllerOptions;
  readonly #memories = new Map<ApplicationKey, ApplicationMemory>();
  readonly #timers = new Timers();
  readonly #queue: WorkQueue;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const onError = (key: string, error: unknown): void => {
      options.parts.emit({ type: 'failure', application: key, error: toOperatorError(error, 'status') });
    };
    // Whoever is waited for, or waits, looks again; an Application that is told of a claim only says so.
    options.owned.onNews((key, news) => {
      if (this.#memories.has(key)) this.ask(key, news === 'claims' ? 'health' : 'retry');
    });
    this.#queue = new WorkQueue({ workers: options.workers, work: (key, slot) => this.#work(key, slot), onError });
  }

  /** The memory of an Application that was looked at before. */
  memory(key: ApplicationKey): ApplicationMemory | undefined {
    return this.#memories.get(key);
  }

  queueCounts(): QueueCounts {
    return this.#queue.counts();
  }

  /** Asks for a look. What is newer than what the look under way works on ends its wait for health. */
  ask(key: ApplicationKey, reason: Reason): void {
    const memory = this.#memories.get(key);
    if (memory !== undefined) {
      memory.reasons.add(reason);
      memory.askedAt ??= this.#options.parts.clock.monotonic();
      if (reason !== 'health') memory.preempt?.abort();
    }
    this.#queue.add(key);
  }

  /** Whether an Application is left alone changed: what is being written stops between two requests, or everything it missed is done. */
  askAboutSuspension(application: Application): void {
    const key = applicationKey(application);
    const suspension = suspensionOf(application, this.#options.parts.pause.current());
    if (suspension !== undefined) this.#memories.get(key)?.halt?.abort();
    this.ask(key, suspension === undefined ? 'resume' : 'suspend');
  }

  /** Asks for a look later; an earlier request for the same reason is replaced. */
  askAfter(key: ApplicationKey, reason: Reason, milliseconds: number): void {
    this.#timers.start(`${key} ${reason}`, milliseconds, () => this.ask(key, reason));
  }

  /** Asks for a look in a moment, one for all requests that come until then: a rollout changes a thousand objects one by one. */
  askSoon(key: ApplicationKey, reason: Reason): void {
    const name = `${key} soon ${reason}`;
    if (!this.#timers.isRunning(name)) this.#timers.start(name, gatherMilliseconds, () => this.ask(key, reason));
  }

  /** The cluster went back in time: what is remembered of it is read again, and compared as after a start. */
  startOver(): void {
    for (const memory of this.#memories.values()) {
      for (const key of memory.answered.keys()) memory.health.touch(key);
      memory.answered.clear();
      memory.written.clear();
      memory.isOutdated = true;
      this.ask(memory.key, 'start');
    }
  }

  /** Takes nothing more; resolves when the looks under way have ended. Assumes: the signal has aborted, so that they end soon. */
  async close(): Promise<void> {
    this.#timers.stopAll();
    for (const memory of this.#memories.values()) memory.subscription?.handle.close();
    await this.#queue.close();
  }

  async #work(key: ApplicationKey, slot: WorkSlot): Promise<void> {
    const { parts, signal } = this.#options;
    const application = parts.applications.get(key);
    const known = this.#memories.get(key);
    if (known !== undefined && known.uid !== application?.uid) this.#forget(known);
    if (application === undefined || signal.aborted) return;
    const memory = this.#memories.get(key) ?? createMemory(application);
    this.#memories.set(key, memory);
    const reasons = [...memory.reasons];
    const startedAt = parts.clock.monotonic();
    const waited = startedAt - (memory.askedAt ?? startedAt);
    memory.reasons.clear();
    memory.askedAt = undefined;
    await this.#turn(application, memory, reasons, slot);
    const worked = parts.clock.monotonic() - startedAt;
    parts.emit({ type: 'worked', waitedSeconds: waited / 1_000, workedSeconds: worked / 1_000, retry: reasons.includes('retry') });
  }

  async #turn(application: Application, memory: ApplicationMemory, reasons: readonly Reason[], slot: WorkSlot): Promise<void> {
    const { parts, owned, signal } = this.#options;
    const suspension = suspensionOf(application, parts.pause.current());
    const kind = chooseLook(application, suspension, memory, reasons);
    if (kind === 'sync') this.#timers.stop(`${memory.key} retry`);
    memory.generationTaken = application.generation;
    memory.hasNewSuspects = false;
    memory.requestTaken = application.annotations[reconcileRequestedAnnotation];
    this.#follow(application, suspension, memory);
    const preempt = new AbortController();
    const halt = new AbortController();
    memory.preempt = preempt;
    memory.halt = halt;
    this.#takeSuspension(application, suspension, memory);
    const look: Look = {
      ...{ kind, application, memory, reasons, slot, parts, owned, signal, suspension, startedAt: parts.clock.now() },
      ...{ superseded: preempt.signal, halted: halt.signal },
      report: async (outcome) => void (await this.#writeStatus(application, memory, outcome)),
    };
    const outcome = await takeLook(look);
    memory.preempt = undefined;
    memory.halt = undefined;
    if (signal.aborted || outcome === undefined) return;
    const isTold = kind !== 'health' || isNews(outcome, memory.lastOutcome);
    if (isTold) this.#tell(memory, outcome);
    memory.lastOutcome = outcome;
    if (memory.hasNewSuspects && memory.suspects.size > 0) this.askAfter(memory.key, 'drift', soonMilliseconds);
    if (!isTold && outcome.health.state === 'Progressing' && this.#isWrittenOften(memory)) return;
    memory.statusWrittenAt = parts.clock.monotonic();
    const isWritten = await this.#writeStatus(application, memory, outcome);
    this.#planNext(look, outcome, isWritten);
  }

  /** Who is still on its way is written now and then only; the next time is arranged here. */
  #isWrittenOften(memory: ApplicationMemory): boolean {
    const left = progressMilliseconds - (this.#options.parts.clock.monotonic() - memory.statusWrittenAt);
    if (left > 0) this.askAfter(memory.key, 'health', left);
    return left > 0;
  }

  /** Tells when an Application begins or ends to be left alone. What goes on looks at Git again, for whatever came meanwhile. */
  #takeSuspension(application: Application, suspension: Suspension | undefined, memory: ApplicationMemory): void {
    const { parts } = this.#options;
    const message = suspension === undefined ? undefined : describeSuspension(suspension, application);
    const before = memory.suspensionTaken;
    memory.suspensionTaken = message ?? '';
    if (memory.suspensionTaken === before) return;
    if (message === undefined && application.deletionTimestamp === undefined) {
      parts.sources.look({ spec: sourceOf(application, parts.secrets) });
    }
    // What ends is named as what began.
    if (suspension !== undefined) memory.isPauseTaken = suspension.kind === 'pause' || suspension.kind === 'unknown';
    parts.emit({ type: 'suspension', application: memory.key, message, reason: memory.isPauseTaken ? 'Paused' : 'Suspended' });
  }

  /** Follows the source of an Application as its spec is now. */
  #follow(application: Application, suspension: Suspension | undefined, memory: ApplicationMemory): void {
    const { parts } = this.#options;
    const { source } = application.spec;
    const spec = sourceOf(application, parts.secrets);
    const interval = millisecondsOf(source.interval);
    const key = suspension !== undefined || application.deletionTimestamp !== undefined ? '' : `${sourceKey(spec)} ${interval}`;
    if ((memory.subscription?.key ?? '') === key) return;
    memory.subscription?.handle.close();
    const subscribe = (): Subscription => parts.sources.subscribe(spec, interval, () => this.ask(memory.key, 'commit'));
    memory.subscription = key === '' ? undefined : { key, handle: subscribe() };
  }

  /** Drift that is left alone is told once, however often it is seen. */
  #tell(memory: ApplicationMemory, outcome: Outcome): void {
    const { emit } = this.#options.parts;
    for (const drift of outcome.drift) {
      const text = JSON.stringify([drift.ref, drift.fields]);
      if (drift.healed || !memory.toldDrift.has(text)) emit({ type: 'drift', application: memory.key, drift });
      if (!drift.healed) memory.toldDrift.add(text);
    }
    if (outcome.result.kind === 'synced') memory.toldDrift.clear();
    const adopted = outcome.adopted ?? [];
    if (adopted.length > 0) emit({ type: 'adopted', application: memory.key, adopted });
    for (const takenOver of outcome.takenOver ?? []) emit({ type: 'fields-taken-over', application: memory.key, takenOver });
    for (const fight of outcome.fights ?? []) emit({ type: 'fight', application: memory.key, fight });
    emit({ type: 'reconciled', application: memory.key, uid: memory.uid, syncId: randomUUID(), outcome });
  }

  /** False when the status could not be written; it is tried again with the next look. */
  async #writeStatus(application: Application, memory: ApplicationMemory, outcome: Outcome): Promise<boolean> {
    const { parts } = this.#options;
    const key = applicationKey(application);
    try {
      const status = deriveStatus(outcome, memory.status, application.spec.historyLimit);
      await parts.applications.writeStatus(application, status);
      memory.status = status;
      return true;
    } catch (error) {
      parts.emit({ type: 'failure', application: key, error: toOperatorError(error, 'status') });
      return false;
    }
  }

  /** The next look without a new reason, if any. A newer commit or spec starts counting failures anew. */
  #planNext({ application, memory, kind, suspension }: Look, outcome: Outcome, statusIsWritten: boolean): void {
    const { result } = outcome;
    if (!statusIsWritten) this.askAfter(memory.key, 'health', statusRetryMilliseconds);
    if (result.kind === 'progressing') {
      this.askAfter(memory.key, 'health', Math.max(0, memory.healthDeadline - this.#options.parts.clock.monotonic()));
    }
    // A wait may have run out since the look decided to heed it: whatever was held back is asked for, however little is left.
    const now = this.#options.parts.clock.monotonic();
    const held = [...memory.suspects].map((key) => memory.heals.get(key)).filter((record) => isFought(record, now));
    if (held.length > 0 && application.spec.sync.selfHeal && suspension === undefined) {
      const wait = Math.min(...held.map((record) => healDelay(record, now)));
      this.askAfter(memory.key, 'drift', Math.max(shortestHealWaitMilliseconds, wait));
    }
    if (result.kind === 'applying' && kind !== 'health') this.askAfter(memory.key, 'retry', soonMilliseconds);
    if (kind === 'health' || (kind === 'heal' && memory.suspects.size === 0)) return;
    const input = `${outcome.observedGeneration} ${outcome.revision?.sha ?? ''}`;
    if (memory.failedInput !== input) memory.failures = 0;
    memory.failedInput = input;
    const decision = decideRetry(result, memory.failures, this.#options.random());
    memory.failures = result.kind === 'failed' || result.kind === 'rejected' ? memory.failures + 1 : 0;
    if (decision.kind === 'retry') this.askAfter(memory.key, 'retry', decision.afterMilliseconds);
  }

  #forget(memory: ApplicationMemory): void {
    const { owned, parts } = this.#options;
    memory.subscription?.handle.close();
    this.#memories.delete(memory.key);
    for (const reason of ['retry', 'health', 'soon health', 'drift']) this.#timers.stop(`${memory.key} ${reason}`);
    owned.forget(memory.key);
    parts.inventories.forget({ uid: memory.uid });
    parts.emit({ type: 'application-removed', application: memory.key });
  }
}
