// The cheapest look: nothing is fetched, compared or written; only the health of what is owned is added up again.
import type { Outcome, SyncResult } from '../model/outcome.ts';
import { healthOfApplication } from './application-health.ts';
import type { Look } from './look.ts';
import { outcomeOf, settledResult } from './outcome-of.ts';

/** The last outcome with the health of now. */
export function refreshHealth(look: Look): Outcome {
  const { lastOutcome: last } = look.memory;
  const result = last === undefined ? undefined : resultWithHealth(look, last.result);
  return outcomeOf(look, result ?? { kind: 'synced', changed: false });
}

function resultWithHealth(look: Look, last: SyncResult): SyncResult {
  const waitedForHealth = last.kind === 'failed' && last.error.stage === 'health';
  const settled = last.kind === 'synced' || last.kind === 'progressing' || waitedForHealth;
  return settled ? settledResult(look, healthOfApplication(look.memory, look.parts.observer), last.kind !== 'synced') : last;
}
