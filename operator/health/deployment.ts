// Health of Deployments.
import { conditionText, numberAt, specOf, statusOf, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing, suspended } from './verdicts.ts';

/** Healthy when every replica is of the latest template and available, and no older one is left. */
export const assessDeployment: HealthRule = (object) => {
  const status = statusOf(object);
  const wanted = numberAt(specOf(object), 'replicas', 1);
  const progress = tryFindCondition(object, 'Progressing');
  if (specOf(object)['paused'] === true) return suspended('the rollout is paused');
  if (progress?.reason === 'ProgressDeadlineExceeded') return degraded(`the rollout made no progress in time: ${conditionText(progress)}`);
  if (status['observedGeneration'] === undefined) return progressing('its controller has not seen it yet');
  const updated = numberAt(status, 'updatedReplicas');
  const available = numberAt(status, 'availableReplicas');
  const failure = tryFindCondition(object, 'ReplicaFailure');
  const why = failure?.status === 'True' ? `: ${conditionText(failure)}` : '';
  if (updated < wanted) return progressing(`${updated} of ${wanted} replicas are updated${why}`);
  const old = numberAt(status, 'replicas') - updated;
  if (old > 0) return progressing(`${old} old ${old === 1 ? 'replica is' : 'replicas are'} still to be removed`);
  if (available < updated) return progressing(`${available} of ${updated} replicas are available`);
  return healthy(`${available} of ${wanted} replicas are available`);
};
