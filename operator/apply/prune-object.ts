// Deletes one object and waits until it is gone. Which objects, and in which order, was decided in plan/.
import type { Clock } from '../model/clock.ts';
import { OperatorError } from '../model/error.ts';
import type { TenantIdentity } from '../model/identity.ts';
import { formatRef, type ObjectRef } from '../model/object-ref.ts';
import type { ObjectWriter } from './ports.ts';

/** What deleting needs. */
export interface PruneContext {
  readonly writer: ObjectWriter;
  readonly identity: TenantIdentity;
  readonly waitForChange: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

/** How long an object may take to go before it counts as held. */
const patienceMilliseconds = 20_000;

/**
 * Deletes an object by UID; returns when it is gone, or when another object has its name.
 * Throws the reason of `goesOn` when the wait is to end, and OperatorError: `PruneBlocked` with the finalizers when it does not go, or when the ServiceAccount may not delete it. No finalizer is ever removed.
 */
export async function pruneObject(
  context: PruneContext,
  object: { readonly ref: ObjectRef; readonly uid: string; readonly deletingSince?: string },
  { signal, goesOn }: { readonly signal: AbortSignal; readonly goesOn: AbortSignal },
): Promise<void> {
  const { ref, uid } = object;
  const deadline = context.clock.monotonic() + patienceMilliseconds - waitedFor(context.clock, object.deletingSince);
  for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
    const result = await deletion(context, ref, uid, signal);
    if (result.state !== 'terminating') return;
    if (context.clock.monotonic() >= deadline) throw held(ref, result.finalizers);
    await changeOrTime(context, wait, goesOn);
  }
}

/** How long an object is known to be going already: one that hung before is asked for once and not waited for again. */
function waitedFor(clock: Clock, since: string | undefined): number {
  const milliseconds = since === undefined ? Number.NaN : clock.now().getTime() - Date.parse(since);
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : 0;
}

async function deletion(context: PruneContext, ref: ObjectRef, uid: string, signal: AbortSignal): ReturnType<ObjectWriter['delete']> {
  try {
    return await context.writer.delete(context.identity, ref, uid, signal);
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'Forbidden') throw error;
    throw new OperatorError(error.message, {
      code: 'PruneBlocked',
      stage: 'apply',
      fate: 'transient',
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function held(ref: ObjectRef, finalizers: readonly string[]): OperatorError {
  const by =
    finalizers.length === 0
      ? 'it is still shutting down'
      : `held by ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
  return new OperatorError(`delete ${formatRef(ref)}: ${by}`, {
    code: 'PruneBlocked',
    stage: 'apply',
    fate: 'transient',
    hint: 'see why the controller of the finalizer does not finish; it stays in the inventory until it is gone',
  });
}

/** Returns at the next observed change or after some time, whichever is first. */
async function changeOrTime(context: PruneContext, milliseconds: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([context.waitForChange(either), context.clock.sleep(milliseconds, either)]);
  } finally {
    over.abort();
  }
  signal.throwIfAborted();
}
