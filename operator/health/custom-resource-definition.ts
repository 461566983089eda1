// Health of CustomResourceDefinitions.
import { conditionText, isTrue, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when objects of its kind are accepted. */
export const assessCustomResourceDefinition: HealthRule = (object) => {
  const names = tryFindCondition(object, 'NamesAccepted');
  if (names?.status === 'False') return degraded(`its names are taken: ${conditionText(names)}`);
  return isTrue(object, 'Established') ? healthy('is established') : progressing('is not established yet');
};
