// Health of StatefulSets.
import { numberAt, objectAt, specOf, statusOf, textAt } from './status-fields.ts';
import { type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when every replica is ready and, as far as the update strategy says, of the latest revision. */
export const assessStatefulSet: HealthRule = (object) => {
  const status = statusOf(object);
  const wanted = numberAt(specOf(object), 'replicas', 1);
  if (status['observedGeneration'] === undefined) return progressing('its controller has not seen it yet');
  const ready = numberAt(status, 'readyReplicas');
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  const left = numberAt(status, 'replicas') - wanted;
  if (left > 0) return progressing(`${left} ${left === 1 ? 'replica is' : 'replicas are'} still to be removed`);
  const strategy = objectAt(specOf(object), 'updateStrategy');
  if (textAt(strategy, 'type') === 'OnDelete') return healthy(`${ready} of ${wanted} replicas are ready`);
  const partition = numberAt(objectAt(strategy, 'rollingUpdate'), 'partition');
  const updated = numberAt(status, 'updatedReplicas');
  const toUpdate = Math.max(0, wanted - partition);
  const isRolling = textAt(status, 'updateRevision') !== textAt(status, 'currentRevision');
  if (isRolling && updated < toUpdate) return progressing(`${updated} of ${toUpdate} replicas are updated`);
  return healthy(`${ready} of ${wanted} replicas are ready`);
};
