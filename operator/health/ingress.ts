// Health of Ingresses.
import { listAt, objectAt, statusOf } from './status-fields.ts';
import { type HealthRule, healthy } from './verdicts.ts';

/** Healthy when it is there: many controllers never report an address, so waiting for one could wait for ever. */
export const assessIngress: HealthRule = (object) => {
  const addresses = listAt(objectAt(statusOf(object), 'loadBalancer'), 'ingress');
  return healthy(addresses.length > 0 ? 'has an address' : 'no address is reported');
};
