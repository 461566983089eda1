// Health of CronJobs. The Jobs they start are objects of their own.
import { specOf } from './status-fields.ts';
import { type HealthRule, healthy, suspended } from './verdicts.ts';

/** Healthy when it is scheduled. A Job that failed says nothing about the next one. */
export const assessCronJob: HealthRule = (object) =>
  specOf(object)['suspend'] === true ? suspended('the CronJob is suspended') : healthy();
