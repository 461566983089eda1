// Health of HorizontalPodAutoscalers.
import { conditionText, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing, suspended } from './verdicts.ts';

/** Healthy when it can read metrics and scale its target. Missing metrics are ordinary in the first minutes of a workload. */
export const assessHorizontalPodAutoscaler: HealthRule = (object) => {
  const able = tryFindCondition(object, 'AbleToScale');
  const active = tryFindCondition(object, 'ScalingActive');
  if (able?.status === 'False' && able.reason.startsWith('Failed')) return degraded(`cannot scale: ${conditionText(able)}`);
  if (active?.reason === 'ScalingDisabled') return suspended('its target is scaled to zero');
  if (active?.status === 'False' && active.reason.startsWith('Invalid')) return degraded(`cannot scale: ${conditionText(active)}`);
  if (active?.status === 'False') return progressing(`waits for metrics: ${conditionText(active)}`);
  return able === undefined ? progressing('its controller has not seen it yet') : healthy();
};
