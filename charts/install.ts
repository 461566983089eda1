// The whole install as one cdk8s app: what `npx cdk8s synth` writes and `setpoint install` applies.
import { App, type Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { JsonObject } from '../constructs/json-schema.ts';
import packageJson from '../package.json' with { type: 'json' };
import { AccessRules } from './access-rules.ts';
import { CustomResourceDefinitions } from './custom-resource-definitions.ts';
import { installLabels, systemNamespace } from './names.ts';
import { Operator } from './operator.ts';
import { Synth } from './synth.ts';

/** What a person may choose about the install. */
export interface InstallOptions {
  /** Container image of Setpoint. @default `setpoint:` and the version of this checkout */
  readonly image?: string;
  /** Only the CustomResourceDefinitions. @default false */
  readonly crdsOnly?: boolean;
  /** Secret in setpoint-system whose key `secret` signs webhook calls. @default webhook calls are refused */
  readonly webhookSecretName?: string;
}

/** The charts of the install, in the order in which they are applied. */
export function addInstallCharts(app: App, options: InstallOptions = {}): readonly Chart[] {
  const crds = new CustomResourceDefinitions(app, 'crds');
  if (options.crdsOnly) return [crds];
  const labels = installLabels(packageJson.version);
  const image = options.image ?? `setpoint:${packageJson.version}`;
  const access = new AccessRules(app, 'access', { labels });
  const namespace = new k8s.KubeNamespace(access, 'namespace', {
    metadata: { name: systemNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const synth = new Synth(app, 'synth', { image, labels });
  const webhook = options.webhookSecretName === undefined ? {} : { webhookSecretName: options.webhookSecretName };
  const operator = new Operator(app, 'operator', { image, labels, ...webhook });
  for (const object of access.apiObjects) if (object !== namespace) object.addDependency(namespace);
  access.addDependency(crds);
  synth.addDependency(access);
  operator.addDependency(access);
  return [crds, access, synth, operator];
}

/** The objects of the install in the order in which they can be applied. Equal options, equal objects. */
export function installManifests(options: InstallOptions = {}): readonly JsonObject[] {
  return addInstallCharts(new App(), options).flatMap((chart) => chart.toJson() as readonly JsonObject[]);
}
