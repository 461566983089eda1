// Takes the look that was chosen. Prepares what every look needs: the inventory and what happened while nobody watched.
import { toOperatorError } from '../model/error.ts';
import type { Outcome } from '../model/outcome.ts';
import { suspectUnwanted } from './extra-fields.ts';
import { finalizeApplication } from './finalize-application.ts';
import { healApplication } from './heal-application.ts';
import { loadInventory } from './load-inventory.ts';
import type { Look } from './look.ts';
import { failedOutcome } from './outcome-of.ts';
import { watchOwned } from './read-observed.ts';
import { reconcileApplication } from './reconcile-application.ts';
import { refreshHealth } from './refresh-health.ts';
import { judgeAll } from './suspects.ts';
import { watchSuspended } from './watch-suspended.ts';

/** The outcome of a look; undefined when the Application needs none any more. Never throws. */
export async function takeLook(look: Look): Promise<Outcome | undefined> {
  const outcome = await takeKindOfLook(look);
  if (look.kind !== 'finalize') suspectUnwanted(look);
  return outcome;
}

async function takeKindOfLook(look: Look): Promise<Outcome | undefined> {
  try {
    await prepare(look);
    switch (look.kind) {
      case 'finalize':
        return await finalizeApplication(look);
      case 'suspended':
        return look.suspension === undefined ? refreshHealth(look) : await watchSuspended(look, look.suspension);
      case 'sync':
        return await reconcileApplication(look);
      case 'heal':
        return await healApplication(look);
      case 'health':
        return refreshHealth(look);
    }
  } catch (error) {
    return failedOutcome(look, toOperatorError(error, 'cluster'));
  }
}

/** Loads the inventory when it is not known, watches what is in it and judges what changed meanwhile. */
async function prepare(look: Look): Promise<void> {
  const { application, memory, owned, parts } = look;
  if (memory.inventory !== undefined && !memory.isOutdated) return;
  if (memory.isOutdated) parts.inventories.forget(application);
  const inventory = await loadInventory(look);
  owned.releaseAll(memory.key);
  for (const key of inventory.keys()) owned.claim(memory.key, key);
  const silentGroups = await watchOwned(inventory.values(), parts.observer);
  memory.inventory = inventory;
  // Objects of groups that do not answer are judged when these do.
  memory.isOutdated = silentGroups.size > 0;
  judgeAll(memory, parts.observer, silentGroups);
}
