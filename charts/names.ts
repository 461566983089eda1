// Names, ports and labels that the charts of the install share.
import { defaultSystemNamespace } from '../constructs/annotations.ts';

/** Namespace of Setpoint itself. */
export const systemNamespace = defaultSystemNamespace;

/** Name of the operator's Deployment, ServiceAccount, Service and roles. */
export const operatorName = 'setpoint-operator';

/** Name of the synth server's Deployment, ServiceAccount and Service. */
export const synthName = 'setpoint-synth';

/** Secret with the key by which operator and synth server know each other; the operator makes it when it is missing. */
export const synthKeySecret = 'setpoint-synth-key';

/** Ports the containers listen on. */
export const ports = { api: 8080, metrics: 8081, synth: 8443 } as const;

/** Labels that select the Pods of a component; never changed, because a Deployment's selector is immutable. */
export function selectorLabels(component: 'operator' | 'synth'): Record<string, string> {
  return { 'app.kubernetes.io/name': 'setpoint', 'app.kubernetes.io/component': component };
}

/** Labels of everything that belongs to the install. */
export function installLabels(version: string): Record<string, string> {
  return { 'app.kubernetes.io/name': 'setpoint', 'app.kubernetes.io/part-of': 'setpoint', 'app.kubernetes.io/version': version };
}
