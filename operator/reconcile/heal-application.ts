// The short way from drift to healed: no fetch, no synth; what is suspected is applied again from the last accepted commit.
import { toOperatorError } from '../model/error.ts';
import { formatRef, keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
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
    const outcome = outcomeOfSync(look, synced, {});
    for (const { ref, healed } of outcome.drift) {
      if (healed) memory.heals.set(keyOf(ref), recordHeal(memory.heals.get(keyOf(ref)), now));
    }
    const standing = fightResult(look, fought) ?? standingResult(memory.lastOutcome);
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

function fightResult({ memory, parts }: Look, fought: readonly ObjectKey[]): SyncResult | undefined {
  const [first] = fought;
  const entry = first === undefined ? undefined : memory.inventory?.get(first);
  if (first === undefined || entry === undefined) return undefined;
  const record = memory.heals.get(first);
  const by = memory.status?.drift?.find(({ object }) => object.name === entry.ref.name && object.kind === entry.ref.kind)?.manager;
  const seconds = Math.ceil(healDelay(record, parts.clock.monotonic()) / 1_000);
  const who = by === undefined || by === 'unknown' ? 'somebody' : by;
  const message = `${formatRef(entry.ref)} was healed ${record?.count} times and is changed again by ${who}; it is healed again in ${seconds} s: stop ${who}, or change it in Git`;
  return { kind: 'out-of-sync', message };
}
