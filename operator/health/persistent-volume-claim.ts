// Health of PersistentVolumeClaims.
import { statusOf, textAt } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when it is bound. A claim that waits for its first consumer is on its way. */
export const assessPersistentVolumeClaim: HealthRule = (object) => {
  const phase = textAt(statusOf(object), 'phase');
  if (phase === 'Bound') return healthy('is bound');
  if (phase === 'Lost') return degraded('its volume is lost');
  return progressing('is not bound to a volume yet');
};
