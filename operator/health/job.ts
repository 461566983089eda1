// Health of Jobs.
import { conditionText, isTrue, numberAt, specOf, statusOf, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing, suspended } from './verdicts.ts';

/** Healthy when it is complete: what depends on a Job depends on its work being done. */
export const assessJob: HealthRule = (object) => {
  const failed = tryFindCondition(object, 'Failed') ?? tryFindCondition(object, 'FailureTarget');
  if (failed?.status === 'True') return degraded(`failed: ${conditionText(failed)}`);
  const succeeded = numberAt(statusOf(object), 'succeeded');
  if (isTrue(object, 'Complete') || isTrue(object, 'SuccessCriteriaMet')) return healthy('is complete');
  if (specOf(object)['suspend'] === true) return suspended('the Job is suspended');
  return progressing(`${succeeded} of ${numberAt(specOf(object), 'completions', 1)} completions`);
};
