// The short way from drift to healed: no fetch, no synth; what is suspected is applied again from the last accepted commit.
import { toOperatorError } from '../model/error.ts';
import { formatRef, keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Fight, Outcome, SyncResult } from '../model/outcome.ts';
import { healDelay, recordHeal } from './heal-limits.ts';
import type { Look } from './look.ts';
import { failedOutcome } from './outcome-of.ts';
import { outcomeOfSync } from './reconcile-application.ts';
import { refreshHealth } from './refresh-health.ts';
import { suspectScope, syncObjects } from './sync-objects.ts';

/**
 * Heals, or with self-heal off reports, what drifted. Never throws.
 * An object that somebody changes again and again is healed more and more rarely, and the outcome names who.
 */
export async function healApplication(look: Look): Promise<Outcome> {
  const { memory, parts } = look;
  const { accepted } = memory;
  if (accepted === undefined) return refreshHealth(look);
  for (const key of memory.suspects) if (!accepted.byKey.has(key)) memory.suspects.delete(key);
  const now = parts.clock.monotonic();
  const fought = [...memory.suspects].filter((key) => healDelay(memory.heals.get(key), now) > 0);
  try {
    const synced = await syncObjects(look, suspectScope(look, accepted, new Set(fought)));
    const fights = fightsOver(look, fought);
    const outcome = outcomeOfSync(look, synced, { fights });
    for (const { ref, healed } of outcome.drift) {
      if (healed) memory.heals.set(keyOf(ref), recordHeal(memory.heals.get(keyOf(ref)), now));
    }
    const standing = fightResult(look, fights) ?? standingResult(memory.lastOutcome);
    return standing === undefined || outcome.result.kind === 'failed' ? outcome : { ...outcome, result: standing };
  } catch (error) {
    return failedOutcome(look, toOperatorError(error, 'apply'));
  }
}

/** A commit that was refused, or could not be fetched, still is: healing the last good state does not make it good. */
function standingResult(last: Outcome | undefined): SyncResult | undefined {
  if (last?.result.kind === 'rejected' || last?.result.kind === 'applying') return last.result;
  return last?.result.kind === 'failed' && last.result.error.stage !== 'health' ? last.result : undefined;
}

/** The objects whose heal has to wait, and who undid the last one. */
function fightsOver({ memory }: Look, fought: readonly ObjectKey[]): readonly Fight[] {
  return fought.flatMap((key) => {
    const entry = memory.inventory?.get(key);
    const heals = memory.heals.get(key)?.count ?? 0;
    const last = memory.status?.drift?.find(({ object }) => keyOf({ namespace: '', ...object }) === key);
    return entry === undefined ? [] : [{ ref: entry.ref, heals, manager: last?.manager ?? 'unknown' }];
  });
}

function fightResult({ memory, parts }: Look, [first]: readonly Fight[]): SyncResult | undefined {
  if (first === undefined) return undefined;
  const { ref, heals, manager } = first;
  const seconds = Math.ceil(healDelay(memory.heals.get(keyOf(ref)), parts.clock.monotonic()) / 1_000);
  const who = manager === 'unknown' ? 'somebody' : manager;
  const message = `${formatRef(ref)} was healed ${heals} times and is changed again by ${who}; it is healed again in ${seconds} s: stop ${who}, or change it in Git`;
  return { kind: 'out-of-sync', message };
}
