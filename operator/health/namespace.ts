// Health of Namespaces.
import { statusOf, textAt } from './status-fields.ts';
import { type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy unless it is being emptied. */
export const assessNamespace: HealthRule = (object) =>
  textAt(statusOf(object), 'phase') === 'Terminating' ? progressing('is being deleted') : healthy();
