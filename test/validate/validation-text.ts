// Objects as YAML, findings as text, and a small catalogue in the shape the API server publishes its own. No assertions here.
import { parse } from 'yaml';
import { formatFinding } from '../../operator/model/finding.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { SynthesizedObject } from '../../operator/model/manifest.ts';
import { createValidator, type ValidateResult, type Validator } from '../../operator/validate/create-validator.ts';
import type { KindInfo, KindSchema, SchemaCatalog } from '../../operator/validate/ports.ts';

/** Each document of a YAML text as synth would hand it over: the n-th comes from main.ts line n. */
export function synthesized(yaml: string, dependsOn: Readonly<Record<number, readonly number[]>> = {}): readonly SynthesizedObject[] {
  return yaml.split('\n---\n').map((document, index) => {
    const object = parseDocument(document);
    const name = (object['metadata'] as JsonObject | undefined)?.['name'] ?? index;
    return {
      object,
      origin: { constructPath: `app/${name}`, frames: [{ file: 'main.ts', line: index + 1, column: 3 }] },
      dependsOn: dependsOn[index] ?? [],
    };
  });
}

/** JSON where it is JSON: a large schema takes long as YAML. */
function parseDocument(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return parse(text) as JsonObject;
  }
}

/** Validates documents for the Application team/shop with destination namespace shop. */
export function validate(
  objects: readonly SynthesizedObject[],
  catalog: SchemaCatalog = smallCatalog(),
  validator: Validator = createValidator(),
): ValidateResult {
  return validator.validate({ objects, catalog, application: { namespace: 'team', name: 'shop' }, destinationNamespace: 'shop' });
}

/** `InvalidName main.ts:1:3: …`, one line per finding. */
export function findingsText(result: ValidateResult): readonly string[] {
  return result.findings.map((finding) => `${finding.code} ${formatFinding(finding)}`);
}

const reference = (name: string, beside: JsonObject = {}): JsonObject => ({ allOf: [{ $ref: `#/components/schemas/${name}` }], ...beside });
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });
const map = (values: JsonObject): JsonObject => ({ type: 'object', additionalProperties: values });
const text: JsonObject = { type: 'string' };
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const core = 'io.k8s.api.core.v1';
const identity: JsonObject = { apiVersion: text, kind: text, metadata: reference(`${meta}.ObjectMeta`, { default: {} }) };

/** A few components as kube-apiserver publishes them: references under allOf beside a default, nothing closed. */
const schemas: Readonly<Record<string, JsonObject>> = {
  [`${meta}.Time`]: { type: 'string', format: 'date-time' },
  [`${meta}.ObjectMeta`]: {
    type: 'object',
    properties: {
      ...{ name: text, namespace: text, generateName: text, labels: map({ type: 'string', default: '' }), annotations: map(text) },
      ...{ uid: text, creationTimestamp: reference(`${meta}.Time`), managedFields: list({ type: 'object' }), resourceVersion: text },
    },
  },
  [`${meta}.LabelSelector`]: { type: 'object', properties: { matchLabels: map(text) } },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object' },
  [`${core}.Container`]: {
    type: 'object',
    required: ['name'],
    properties: {
      ...{ name: text, image: text, imagePullPolicy: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] }, command: list(text) },
      ...{ env: list({ type: 'object', required: ['name'], properties: { name: text, value: text } }) },
      limits: map(reference('io.k8s.apimachinery.pkg.api.resource.Quantity')),
    },
  },
  [`${core}.PodTemplateSpec`]: {
    type: 'object',
    properties: {
      metadata: reference(`${meta}.ObjectMeta`, { default: {} }),
      spec: {
        type: 'object',
        required: ['containers'],
        properties: {
          containers: list(reference(`${core}.Container`, { default: {} })),
          securityContext: { type: 'object', properties: { runAsUser: { type: 'integer', format: 'int64' } } },
        },
      },
    },
  },
  'io.k8s.api.apps.v1.DeploymentSpec': {
    type: 'object',
    required: ['selector', 'template'],
    properties: {
      ...{
        replicas: { type: 'integer', format: 'int32' },
        paused: { type: 'boolean' },
        minReadySeconds: { type: 'integer', format: 'int32' },
      },
      ...{ selector: reference(`${meta}.LabelSelector`), template: reference(`${core}.PodTemplateSpec`, { default: {} }) },
      ...{ maxSurge: reference('io.k8s.apimachinery.pkg.util.intstr.IntOrString') },
      raw: reference('io.k8s.apimachinery.pkg.runtime.RawExtension'),
      since: reference(`${meta}.Time`),
    },
  },
};

const kinds: readonly (KindInfo & { readonly schema?: JsonObject })[] = [
  {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
    schema: {
      type: 'object',
      required: ['status'],
      properties: { ...identity, spec: reference('io.k8s.api.apps.v1.DeploymentSpec', { default: {} }), status: reference('none') },
    },
  },
  {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
    schema: {
      type: 'object',
      properties: { ...identity, data: map(text), binaryData: map({ type: 'string', format: 'byte' }), immutable: { type: 'boolean' } },
    },
  },
  {
    ...{ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true },
    schema: {
      type: 'object',
      properties: { ...identity, data: map({ type: 'string', format: 'byte' }), stringData: map(text), type: text },
    },
  },
  { ...{ apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }, schema: { type: 'object', properties: identity } },
  { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', namespaced: true },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', namespaced: true },
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', plural: 'customresourcedefinitions', namespaced: false },
];

/** A cluster that knows a handful of kinds; Service and ClusterRole without a schema. */
export function smallCatalog(
  change: {
    readonly failedGroups?: readonly string[];
    readonly version?: string;
    readonly schemas?: Readonly<Record<string, JsonObject>>;
  } = {},
): SchemaCatalog {
  const find = (apiVersion: string, kind: string) => kinds.find((known) => known.apiVersion === apiVersion && known.kind === kind);
  return {
    kind: find,
    schema: (apiVersion, kind): KindSchema | undefined => {
      const schema = find(apiVersion, kind)?.schema;
      const components = { schemas: { ...schemas, ...change.schemas, [`io.k8s.api.${apiVersion}.${kind}`]: schema ?? {} } };
      return schema && { schema, components, version: `${change.version ?? 'one'}#${kind}` };
    },
    kinds: () => kinds,
    failedGroups: new Set(change.failedGroups),
  };
}
