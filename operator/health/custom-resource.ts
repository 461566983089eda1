// Health of custom resources and of every kind without a rule of its own, by the conditions that most controllers write.
import type { Health } from '../model/health.ts';
import { conditionText, type LiveCondition, specOf, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing, suspended } from './verdicts.ts';

/** Conditions that are True only while something is wrong, or while something goes on. */
const failing = ['Stalled', 'Failed', 'Degraded'];
const moving = ['Reconciling', 'Progressing'];
/** Conditions that sum a kind up, the first that is there decides. */
const summaries = ['Ready', 'Available', 'Established', 'Healthy'];

/** Healthy when its summary condition is True, or when it has none: then being there is all there is to know. */
export const assessCustomResource: HealthRule = (object) => {
  const failure = findTrue(failing, (type) => tryFindCondition(object, type));
  if (failure !== undefined) return degraded(conditionText(failure));
  if (specOf(object)['suspend'] === true) return suspended('is suspended');
  const summary = summaries.map((type) => tryFindCondition(object, type)).find((condition) => condition !== undefined);
  if (summary !== undefined && summary.status !== 'True') return notYet(summary);
  const movement = findTrue(moving, (type) => tryFindCondition(object, type));
  // A Deployment-like kind keeps Progressing True when it is done; its summary says that it is.
  if (movement !== undefined && (summary === undefined || movement.type === 'Reconciling')) return progressing(conditionText(movement));
  return healthy(summary === undefined ? '' : conditionText(summary));
};

function notYet(summary: LiveCondition): Health {
  return progressing(`is not ${summary.type.toLowerCase()}: ${conditionText(summary)}`);
}

function findTrue(types: readonly string[], find: (type: string) => LiveCondition | undefined): LiveCondition | undefined {
  return types.map(find).find((condition) => condition?.status === 'True');
}
