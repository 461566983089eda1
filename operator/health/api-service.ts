// Health of APIServices.
import { conditionText, tryFindCondition } from './status-fields.ts';
import { type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when the API server reaches what is behind it. */
export const assessApiService: HealthRule = (object) => {
  const available = tryFindCondition(object, 'Available');
  if (available?.status === 'True') return healthy('is available');
  return progressing(available === undefined ? 'is not available yet' : `is not available: ${conditionText(available)}`);
};
