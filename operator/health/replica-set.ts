// Health of ReplicaSets and ReplicationControllers.
import { conditionText, numberAt, specOf, statusOf, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when as many replicas as wanted are available. */
export const assessReplicaSet: HealthRule = (object) => {
  const status = statusOf(object);
  const wanted = numberAt(specOf(object), 'replicas', 1);
  const failure = tryFindCondition(object, 'ReplicaFailure');
  if (failure?.status === 'True') return degraded(`replicas cannot be created: ${conditionText(failure)}`);
  if (status['observedGeneration'] === undefined) return progressing('its controller has not seen it yet');
  const available = numberAt(status, 'availableReplicas');
  if (available < wanted) return progressing(`${available} of ${wanted} replicas are available`);
  const left = numberAt(status, 'replicas') - wanted;
  if (left > 0) return progressing(`${left} ${left === 1 ? 'replica is' : 'replicas are'} still to be removed`);
  return healthy(`${available} of ${wanted} replicas are available`);
};
