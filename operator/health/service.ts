// Health of Services. Whether there are endpoints is the workloads' matter.
import { listAt, objectAt, specOf, statusOf, textAt } from './status-fields.ts';
import { type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when it is there; one of type LoadBalancer when it has an address. */
export const assessService: HealthRule = (object) => {
  if (textAt(specOf(object), 'type') !== 'LoadBalancer') return healthy();
  const addresses = listAt(objectAt(statusOf(object), 'loadBalancer'), 'ingress');
  return addresses.length > 0 ? healthy('has an address') : progressing('waits for the address of its load balancer');
};
