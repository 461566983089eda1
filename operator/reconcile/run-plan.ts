// Hands a plan to apply/ with what the watches know, keeps its answers, and gives the worker back while it waits for health.
import { type ApplyResult, applyPlan, type WrittenObject } from '../apply/apply-plan.ts';
import type { Claim } from '../apply/claim-object.ts';
import { assessHealth } from '../health/assess-health.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { Plan, WriteChange } from '../model/plan.ts';
import { ownerOf } from '../model/tracking.ts';
import { healthOfObject } from './application-health.ts';
import { millisecondsOf } from './duration.ts';
import type { Look } from './look.ts';
import { type OutcomeParts, outcomeOf } from './outcome-of.ts';
import { ownershipConflict, readOwnership } from './ownership.ts';
import type { Observed } from './read-observed.ts';
import { judgeNoticed } from './suspects.ts';
import { writerOf } from './writer-of.ts';

/** What a plan is run with besides the look. */
export interface RunPlanOptions {
  readonly deferred: ReadonlySet<ObjectKey>;
  readonly observed: Observed;
  /** Objects of which no field is taken from another manager. */
  readonly unforced?: ReadonlySet<ObjectKey>;
  /** Of the commit that is applied, for what is told while waiting; as in the last look when left out. */
  readonly known?: OutcomeParts;
}

/**
 * Runs a plan. Never throws for what the plan ran into: that is in the result.
 * Guarantees: something newer to look at ends a wait, never a write; a suspension ends it between two writes; while it waits, other Applications have the worker.
 */
export async function runPlan(look: Look, plan: Plan, { deferred, observed, unforced, known }: RunPlanOptions): Promise<ApplyResult> {
  const { application, memory, parts, signal, superseded, halted } = look;
  const stopWaiting = new AbortController();
  const laterKinds = plan.steps.flatMap((step) => step.changes.filter(({ key }) => deferred.has(key)).map(({ ref }) => ref));
  let told = false;
  const waitForChange = async (aborted: AbortSignal): Promise<void> => {
    if (superseded.aborted) stopWaiting.abort();
    if (aborted.aborted || superseded.aborted) return;
    await look.slot.park(async () => {
      // Listening begins before anything else is awaited, so that no change is missed.
      const change = nextChange(memory.changeListeners, [aborted, superseded]);
      if (laterKinds.length > 0) await parts.observer.watchKinds(laterKinds);
      if (!told)
        await look.report(outcomeOf(look, { kind: 'applying', message: 'waiting for what was applied before the next step' }, known));
      told = true;
      await change;
    });
  };
  const keys = plan.steps.flatMap((step) => step.changes.map((change) => change.key));
  for (const key of keys) memory.inFlight.add(key);
  try {
    return await applyPlan(
      {
        plan,
        writer: writerOf(look),
        identity: tenantIdentity(application.namespace, application.spec.serviceAccountName),
        ...(unforced === undefined ? {} : { unforced }),
        deferred,
        claim: (change) => claimOf(look, change, observed),
        reclaim: (change) => reclaim(look, change),
        isHealthy: (key) => {
          const entry = memory.inventory?.get(key);
          return entry === undefined ? undefined : healthOfObject(key, entry, memory, parts.observer);
        },
        waitForChange,
        onWritten: (written) => keepAnswer(look, written),
        timeoutMilliseconds: millisecondsOf(application.spec.sync.timeout),
        clock: parts.clock,
        stop: AbortSignal.any([stopWaiting.signal, halted]),
      },
      signal,
    );
  } finally {
    for (const key of keys) memory.inFlight.delete(key);
    judgeNoticed(memory, parts.observer);
  }
}

/** What is known of an object that was never written before under this UID. */
function claimOf({ memory }: Look, change: WriteChange, observed: Observed): Claim | undefined {
  const isOurs = change.uid !== '' && memory.inventory?.get(change.key)?.uid === change.uid;
  if (isOurs) return undefined;
  const live = change.uid === '' ? undefined : observed(change.key);
  return live === undefined ? { managedFields: [] } : live;
}

/** Somebody wrote before our first write: it may have been a controller, our own request whose answer was lost, or another Application. */
async function reclaim(look: Look, change: WriteChange): Promise<Claim | undefined> {
  const live = await look.parts.observer.fetch(change.ref);
  if (live === undefined) return { managedFields: [] };
  const { holder } = await readOwnership(look, [change.key], () => live);
  const other = holder(change.key, live);
  if (other !== undefined) throw ownershipConflict(change.ref, other);
  const isMeant = change.uid === '' ? ownerOf(live) === look.memory.key : live.uid === change.uid;
  return isMeant ? live : undefined;
}

/** The answer counts until the watch shows the same or something newer; the object may be judged again from here on. */
function keepAnswer({ memory, parts }: Look, { change, live, baseline }: WrittenObject): void {
  const { key } = change;
  memory.suspects.delete(key);
  memory.written.set(key, baseline);
  memory.answered.set(key, { baseline, health: assessHealth(live) });
  memory.health.touch(key);
  memory.inFlight.delete(key);
  judgeNoticed(memory, parts.observer);
}

/** Resolves at the next change of an owned object, or when a signal aborts. */
function nextChange(listeners: Set<() => void>, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const either = AbortSignal.any([...signals]);
    const done = (): void => {
      listeners.delete(done);
      either.removeEventListener('abort', done);
      resolve();
    };
    listeners.add(done);
    if (either.aborted) done();
    else either.addEventListener('abort', done, { once: true });
  });
}
