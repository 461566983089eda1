// Health of PodDisruptionBudgets.
import { conditionText, numberAt, statusOf, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when as many Pods are healthy as it wants to keep. */
export const assessPodDisruptionBudget: HealthRule = (object) => {
  const status = statusOf(object);
  const allowed = tryFindCondition(object, 'DisruptionAllowed');
  if (allowed?.reason === 'SyncFailed') return degraded(`cannot be evaluated: ${conditionText(allowed)}`);
  const wanted = numberAt(status, 'desiredHealthy');
  const current = numberAt(status, 'currentHealthy');
  return current < wanted ? progressing(`${current} of ${wanted} Pods are healthy`) : healthy();
};
