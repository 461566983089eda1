// Carries out a plan: its steps in order, within a step many requests at once. What to do was decided in plan/; nothing is decided here but when to stop.
import type { Clock } from '../model/clock.ts';
import { OperatorError, toOperatorError } from '../model/error.ts';
import { formatFinding, hasErrors } from '../model/finding.ts';
import type { Health } from '../model/health.ts';
import type { TenantIdentity } from '../model/identity.ts';
import type { JsonObject } from '../model/json.ts';
import { formatRef, type ObjectKey } from '../model/object-ref.ts';
import type { Baseline } from '../model/observed.ts';
import type { ObjectFailure } from '../model/outcome.ts';
import type { Plan, PlanStep, PruneChange, WriteChange } from '../model/plan.ts';
import { baselineOf } from './baseline.ts';
import { type Claim, claimObject } from './claim-object.ts';
import { dryRunManifests } from './dry-run.ts';
import { inFlight } from './in-flight.ts';
import type { ObjectWriter } from './ports.ts';
import { pruneObject } from './prune-object.ts';
import { waitHealthy } from './wait-healthy.ts';

/** What carrying out a plan needs. */
export interface ApplyPlanRequest {
  readonly plan: Plan;
  readonly writer: ObjectWriter;
  readonly identity: TenantIdentity;
  /** Objects of which no field is taken from another manager; all others are applied by force. @default none */
  readonly unforced?: ReadonlySet<ObjectKey>;
  /** Objects that were not dry-run because their kind or namespace comes with this plan; they are dry-run before their step. */
  readonly deferred?: ReadonlySet<ObjectKey>;
  /** What is known of an object that is written for the first time; undefined for one that is ours already. */
  readonly claim?: (change: WriteChange) => Claim | undefined;
  /** Looks again at an object that changed before its first write; see {@link ClaimContext}. */
  readonly reclaim?: (change: WriteChange) => Promise<Claim | undefined>;
  /** Health of an object as of now. Undefined while nothing newer than `written` was observed, so that old health never counts. */
  readonly isHealthy: (key: ObjectKey, written: Baseline | undefined) => Health | undefined;
  /** Resolves when something observed changed; also when the signal aborts. */
  readonly waitForChange: (signal: AbortSignal) => Promise<void>;
  /** Told of each object right after it was written. */
  readonly onWritten?: (written: WrittenObject) => void;
  /** Requests in flight. @default 24 */
  readonly concurrency?: number;
  /** Limit on the waiting for health of one step. */
  readonly timeoutMilliseconds: number;
  readonly clock: Clock;
  /** Once it aborts no further request is started and no wait goes on; requests in flight are finished and told. */
  readonly stop?: AbortSignal;
}

/** One object that was written. */
export interface WrittenObject {
  readonly change: WriteChange;
  /** As the server answered, with what admission made of it. */
  readonly live: JsonObject;
  readonly baseline: Baseline;
}

/** Why the plan was not carried out to its end. */
export type StopReason = 'failure' | 'unhealthy' | 'aborted';

/** What came of a plan. Every change is in `written`, `pruned` or `failures`, or was not tried because of `stopped`. */
export interface ApplyResult {
  readonly written: readonly WrittenObject[];
  /** Keys of objects confirmed to be gone. */
  readonly pruned: readonly ObjectKey[];
  readonly failures: readonly ObjectFailure[];
  readonly stopped?: StopReason;
}

interface Progress {
  readonly written: WrittenObject[];
  readonly pruned: ObjectKey[];
  readonly failures: ObjectFailure[];
  readonly baselines: Map<ObjectKey, Baseline>;
}

/** Failures of the connection, not of an object, after which no further request of the step is started. */
const maxUnreachable = 3;

/**
 * Carries out a plan.
 * Guarantees: a refused object does not keep its step's others from being tried, but no later step begins, so nothing is pruned after a
 * failure; a step begins only when what the step before waits for is healthy; `stop` stops between requests, `signal` breaks them off; either
 * way it is told what was done.
 */
export async function applyPlan(request: ApplyPlanRequest, signal: AbortSignal): Promise<ApplyResult> {
  const progress: Progress = { written: [], pruned: [], failures: [], baselines: new Map() };
  const goesOn = request.stop === undefined ? signal : AbortSignal.any([signal, request.stop]);
  let stopped: StopReason | undefined;
  for (const step of request.plan.steps) {
    stopped = await runStep(request, step, progress, { signal, goesOn });
    if (stopped !== undefined) break;
  }
  const { written, pruned, failures } = progress;
  return { written, pruned, failures, ...(stopped === undefined ? {} : { stopped }) };
}

/** `signal` breaks a request off, `goesOn` keeps the next from being started. */
interface Signals {
  readonly signal: AbortSignal;
  readonly goesOn: AbortSignal;
}

async function runStep(request: ApplyPlanRequest, step: PlanStep, progress: Progress, signals: Signals): Promise<StopReason | undefined> {
  const { goesOn } = signals;
  await tryDeferred(request, step, progress, goesOn);
  if (progress.failures.length === 0) {
    const unreachable = (): boolean => progress.failures.filter(({ error }) => error.code === 'ApiUnreachable').length >= maxUnreachable;
    await inFlight(
      step.changes,
      request.concurrency ?? 24,
      () => !goesOn.aborted && !unreachable(),
      (change) => runChange(request, change, progress, signals),
    );
  }
  if (goesOn.aborted) return 'aborted';
  if (progress.failures.length > 0) return 'failure';
  const failure = await waitHealthy(request, step.waitHealthy, progress.baselines, goesOn);
  if (failure === undefined) return goesOn.aborted ? 'aborted' : undefined;
  progress.failures.push(failure);
  return 'unhealthy';
}

/** The dry run that had to wait for the steps before. */
async function tryDeferred(request: ApplyPlanRequest, step: PlanStep, progress: Progress, signal: AbortSignal): Promise<void> {
  const deferred = step.changes
    .filter((change) => change.action !== 'prune')
    .filter((change) => request.deferred?.has(change.key) === true);
  if (deferred.length === 0 || signal.aborted) return;
  const { writer, identity } = request;
  try {
    const manifests = deferred.map((change) => change.manifest);
    const { findings } = await dryRunManifests({ manifests, writer, identity, deferred: new Set() }, signal);
    if (!hasErrors(findings)) return;
    for (const finding of findings.filter(({ severity }) => severity === 'error')) {
      if (finding.object === undefined) continue;
      const error = new OperatorError(`apply ${formatFinding(finding)}`, { code: 'ApplyRefused', stage: 'apply', fate: 'terminal' });
      progress.failures.push({ ref: finding.object, error });
    }
  } catch (error) {
    const [first] = deferred;
    if (!signal.aborted && first !== undefined) progress.failures.push({ ref: first.ref, error: toOperatorError(error, 'apply') });
  }
}

async function runChange(
  request: ApplyPlanRequest,
  change: WriteChange | PruneChange,
  progress: Progress,
  { signal, goesOn }: Signals,
): Promise<void> {
  try {
    if (change.action === 'prune') {
      await pruneObject(request, change, { signal, goesOn });
      progress.pruned.push(change.key);
    } else {
      const written = await write(request, change, signal);
      progress.written.push(written);
      progress.baselines.set(change.key, written.baseline);
      request.onWritten?.(written);
    }
  } catch (error) {
    // Only what was waited for can have ended by a stop: a refused request is told whatever comes after it.
    if (!signal.aborted && error !== goesOn.reason) progress.failures.push({ ref: change.ref, error: toOperatorError(error, 'apply') });
  }
}

async function write(request: ApplyPlanRequest, change: WriteChange, signal: AbortSignal): Promise<WrittenObject> {
  const { writer, identity, reclaim } = request;
  const claim = request.claim?.(change);
  const force = request.unforced?.has(change.key) !== true;
  const live =
    claim === undefined
      ? await writer.apply(identity, change.manifest.object, { dryRun: false, force }, signal)
      : await claimObject({ writer, identity, force, reclaim }, change, claim, signal);
  const baseline = baselineOf(live);
  if (baseline.uid !== '') return { change, live, baseline };
  throw new OperatorError(`apply ${formatRef(change.ref)}: the answer has no UID`, { code: 'Internal', stage: 'apply', fate: 'transient' });
}
