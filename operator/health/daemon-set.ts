// Health of DaemonSets.
import { numberAt, objectAt, specOf, statusOf, textAt } from './status-fields.ts';
import { type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when every node that should run it runs the latest template of it, available. */
export const assessDaemonSet: HealthRule = (object) => {
  const status = statusOf(object);
  if (status['observedGeneration'] === undefined) return progressing('its controller has not seen it yet');
  const wanted = numberAt(status, 'desiredNumberScheduled');
  const updated = numberAt(status, 'updatedNumberScheduled');
  const available = numberAt(status, 'numberAvailable');
  const rolls = textAt(objectAt(specOf(object), 'updateStrategy'), 'type') !== 'OnDelete';
  if (rolls && updated < wanted) return progressing(`${updated} of ${wanted} nodes run the latest version`);
  if (available < wanted) return progressing(`available on ${available} of ${wanted} nodes`);
  return healthy(`available on ${available} of ${wanted} nodes`);
};
