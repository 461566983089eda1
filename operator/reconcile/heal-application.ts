// The short way from drift to healed: no fetch, no synth; what is suspected is applied again from the last accepted commit.
import { toOperatorError } from '../model/error.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
import type { Look } from './look.ts';
import { failedOutcome } from './outcome-of.ts';
import { outcomeOfSync } from './reconcile-application.ts';
import { refreshHealth } from './refresh-health.ts';
import { suspectScope, syncObjects } from './sync-objects.ts';

/** Heals, or with self-heal off reports, what drifted. Never throws. */
export async function healApplication(look: Look): Promise<Outcome> {
  const { memory } = look;
  const { accepted, lastOutcome: last } = memory;
  if (accepted === undefined) return refreshHealth(look);
  for (const key of memory.suspects) if (!accepted.byKey.has(key)) memory.suspects.delete(key);
  try {
    const synced = await syncObjects(look, suspectScope(look, accepted));
    const outcome = outcomeOfSync(look, synced, {});
    // A commit that was refused, or could not be fetched, still is: healing the last good state does not make it good.
    const standing = last === undefined ? undefined : standingResult(last.result);
    return standing === undefined || outcome.result.kind === 'failed' ? outcome : { ...outcome, result: standing };
  } catch (error) {
    return failedOutcome(look, toOperatorError(error, 'apply'));
  }
}

/** The result that a heal leaves as it is. */
function standingResult(result: SyncResult): SyncResult | undefined {
  if (result.kind === 'rejected' || result.kind === 'applying') return result;
  return result.kind === 'failed' && result.error.stage !== 'health' ? result : undefined;
}
