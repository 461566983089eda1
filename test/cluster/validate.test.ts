// Our verdict on an object against the API server's own strict dry run: what we refuse it refuses, and what it accepts we accept.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createCatalogLoader } from '../../operator/cluster/catalog.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { SynthesizedObject } from '../../operator/model/manifest.ts';
import { createValidator } from '../../operator/validate/create-validator.ts';
import type { KindInfo, SchemaCatalog } from '../../operator/validate/ports.ts';
import { admin, eventually, testNamespace, uniqueName } from '../support/cluster.ts';
import { type Connected, connect } from './connected.ts';

/**
 * Who refuses: nobody, both of us, only the server, whose rules beyond schemas we do not repeat, or only we: a server-side apply drops
 * some unknown fields without a word, where a create would refuse them.
 */
type Verdict = 'accepted' | 'refused' | 'refused by the server alone' | 'refused by us alone';

let connected: Connected;
let namespace: string;
const validator = createValidator();

beforeAll(async () => {
  connected = await connect();
  namespace = await testNamespace('validate');
});

async function catalogFor(objects: readonly JsonObject[], refresh = false): Promise<SchemaCatalog> {
  const kinds = objects.map((object) => ({ apiVersion: String(object['apiVersion']), kind: String(object['kind']) }));
  return createCatalogLoader(connected.client, connected.discovery).load(kinds, refresh);
}

const synthesized = (object: JsonObject): SynthesizedObject => ({ object, origin: { constructPath: 'app', frames: [] }, dependsOn: [] });

/** Our findings on the last of the objects, and that object as we would apply it. */
function judge(objects: readonly JsonObject[], catalog: SchemaCatalog) {
  const result = validator.validate({
    objects: objects.map(synthesized),
    catalog,
    application: { namespace, name: 'app' },
    destinationNamespace: namespace,
  });
  return {
    findings: result.findings.map((finding) => `${finding.code} ${finding.field}: ${finding.message}`),
    manifest: result.manifests.find(({ ref }) => ref.kind === objects.at(-1)?.['kind'])?.object,
  };
}

/** The server's refusal of a strict dry run of a server-side apply, or undefined. */
async function dryRun(object: JsonObject, info: KindInfo): Promise<string | undefined> {
  const base = info.apiVersion.includes('/') ? `/apis/${info.apiVersion}` : `/api/${info.apiVersion}`;
  const metadata = object['metadata'] as JsonObject;
  const scope = info.namespaced ? `/namespaces/${metadata['namespace'] ?? namespace}` : '';
  const path = `${base}${scope}/${info.plural}/${metadata['name']}?dryRun=All&fieldManager=test&force=true&fieldValidation=Strict`;
  const request = { method: 'PATCH' as const, body: object, headers: { 'content-type': 'application/apply-patch+yaml' } };
  return admin()
    .raw(path, request)
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
}

async function checkVerdict(yaml: string, expected: Verdict): Promise<void> {
  const object = parse(yaml.replaceAll('NAMESPACE', namespace)) as JsonObject;
  const catalog = await catalogFor([object]);
  await compare(object, judge([object], catalog), catalog, expected);
}

async function compare(object: JsonObject, ours: ReturnType<typeof judge>, catalog: SchemaCatalog, expected: Verdict): Promise<void> {
  const info = catalog.kind(String(object['apiVersion']), String(object['kind']));
  if (info === undefined) throw new Error(`no kind ${object['kind']}`);
  const refusal = await dryRun(ours.manifest ?? object, info);
  const verdict =
    ours.findings.length > 0
      ? refusal === undefined
        ? 'refused by us alone'
        : 'refused'
      : refusal === undefined
        ? 'accepted'
        : 'refused by the server alone';
  if (verdict !== expected)
    throw new Error(`expected ${expected}, found ${verdict}
  ours: ${ours.findings.join('; ')}
  server: ${refusal}`);
}

const pod = (spec: string, metadata = ''): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: a${metadata}}, spec: {containers: [{name: web, image: web:1}]${spec === '' ? '' : `, ${spec}`}}}`;
const container = (members: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: web, image: web:1, ${members}}]}}`;
const deployment = (spec: string, template = ''): string =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}${template}}, spec: {containers: [{name: web, image: web:1}]}}${spec === '' ? '' : `, ${spec}`}}}`;
const configMap = (members: string, name = 'a'): string =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}${members === '' ? '' : `, ${members}`}}`;
const secret = (members: string): string => `{apiVersion: v1, kind: Secret, metadata: {name: a}, ${members}}`;
const service = (spec: string, name = 'a'): string => `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {${spec}}}`;
const rbac = 'apiVersion: rbac.authorization.k8s.io/v1';

describe("V1 V2 V13 built-in kinds: our verdict and the server's", () => {
  test.each<[string, string, Verdict]>([
    ['Pod', pod(''), 'accepted'],
    ['Pod with a free-form null', pod('nodeSelector: null, tolerations: null'), 'accepted'],
    ['Pod with creationTimestamp null in its metadata', pod('', ', creationTimestamp: null'), 'accepted'],
    ['Pod with an unknown field', pod('restartPolicyy: Always'), 'refused'],
    ['Pod with an enum value of other case', pod('restartPolicy: always'), 'refused'],
    ['Pod with a wrong enum value that the schema does not list', pod('dnsPolicy: Nope'), 'refused'],
    ['Pod with null for a container', '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [null]}}', 'refused'],
    ['Pod without containers', '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}', 'refused'],
    ['container with a number for an environment value', container('env: [{name: A, value: 1}]'), 'refused'],
    ['container with a truth value for an environment value', container('env: [{name: A, value: true}]'), 'refused'],
    [
      'container with quantities',
      container('resources: {limits: {cpu: 0.5, memory: 1Gi}, requests: {cpu: 100m, memory: 1e6}}'),
      'accepted',
    ],
    ['container with a quantity in words', container('resources: {limits: {memory: 1 GB}}'), 'refused'],
    ['container with a quantity in letters of the wrong case', container('resources: {limits: {memory: 1gi}}'), 'refused'],
    ['container with text for a port', container('ports: [{containerPort: "80"}]'), 'refused'],
    ['container with a port beyond its range', container('ports: [{containerPort: 80000}]'), 'refused by the server alone'],
    ['container with a named probe port', container('livenessProbe: {httpGet: {port: http}}'), 'accepted'],
    ['container with a numbered probe port', container('livenessProbe: {httpGet: {port: 80}}'), 'accepted'],
    ['container with a truth value for a probe port', container('livenessProbe: {httpGet: {port: true}}'), 'refused'],
    ['container with a fraction for a number of seconds', container('livenessProbe: {httpGet: {port: 80}, periodSeconds: 1.5}'), 'refused'],
    ['container without a name', '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{image: web}]}}', 'refused'],
    ['container with an empty emptyDir', pod('volumes: [{name: tmp, emptyDir: {}}]'), 'accepted'],
    ['Pod with an int64', pod('activeDeadlineSeconds: 2147483647, securityContext: {runAsUser: 65534}'), 'accepted'],
    ['Pod with a number beyond int32', pod('priority: 2147483648'), 'refused'],
    ['Deployment', deployment('replicas: 2, strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}'), 'accepted'],
    ['Deployment exported with status and server fields', `${deployment('').slice(0, -1)}, status: {replicas: 1}}`, 'accepted'],
    [
      'Deployment with creationTimestamp null in its template',
      deployment('').replace('labels: {a: b}}, spec', 'labels: {a: b}, creationTimestamp: null}, spec'),
      'accepted',
    ],
    ['Deployment with text for a number', deployment('replicas: "2"'), 'refused'],
    [
      'Deployment with an unknown field in its template',
      deployment('').replace('labels: {a: b}}, spec', 'labels: {a: b}, label: {a: b}}, spec'),
      'refused',
    ],
    [
      'Deployment without a selector',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: []}}}}',
      'refused',
    ],
    [
      'Deployment whose selector does not fit its template',
      deployment('').replace('matchLabels: {a: b}', 'matchLabels: {a: c}'),
      'refused by the server alone',
    ],
    ['Deployment with a bad label in its template', deployment('', ', c: "not a value"'), 'refused'],
    [
      'StatefulSet without serviceName',
      '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}}',
      'accepted',
    ],
    [
      'StatefulSet with a claim template exported with status and null',
      '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {serviceName: a, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}, volumeClaimTemplates: [{metadata: {name: d, creationTimestamp: null}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}, status: {}}]}}',
      'accepted',
    ],
    [
      'CronJob',
      '{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}}',
      'accepted',
    ],
    [
      'CronJob without a schedule',
      '{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}}',
      'refused',
    ],
    [
      'CronJob with a bad schedule',
      '{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: daily, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}}',
      'refused by the server alone',
    ],
    ['ConfigMap', configMap('data: {a: b}, binaryData: {c: aGVsbG8=}'), 'accepted'],
    ['ConfigMap without data', configMap(''), 'accepted'],
    ['ConfigMap with null for data', configMap('data: null'), 'accepted'],
    ['ConfigMap with null in data', configMap('data: {a: null}'), 'accepted'],
    ['ConfigMap with null for a label', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: null}}}', 'accepted'],
    ['ConfigMap with an empty namespace', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ""}}', 'accepted'],
    ['ConfigMap with null for its namespace', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: null}}', 'accepted'],
    ['ConfigMap with the key prototype in its data', configMap('data: {prototype: a}'), 'accepted'],
    ['Secret with null in data', secret('data: {a: null}'), 'accepted'],
    ['Secret with null in stringData', secret('stringData: {a: null}'), 'accepted'],
    ['container with null for an environment value', container('env: [{name: A, value: null}]'), 'accepted'],
    ['container with null for a quantity', container('resources: {limits: {cpu: null}}'), 'accepted'],
    ['container with null for a probe port', container('livenessProbe: {httpGet: {port: null}}'), 'refused by the server alone'],
    ['ConfigMap with a number in data', configMap('data: {a: 1}'), 'refused'],
    ['ConfigMap with an object in data', configMap('data: {a: {b: c}}'), 'refused'],
    ['ConfigMap with what is no base64', configMap('binaryData: {a: "%%%"}'), 'refused'],
    ['ConfigMap with base64 over two lines', configMap('binaryData: {a: "aGVs\\nbG8="}'), 'accepted'],
    ['ConfigMap with base64 without padding', configMap('binaryData: {a: aGVsbG8}'), 'refused'],
    ['ConfigMap with a bad key', configMap('data: {"a/b": c}'), 'refused by the server alone'],
    ['ConfigMap with capital letters in its name', configMap('', 'Web'), 'refused'],
    ['ConfigMap with dots in its name', configMap('', 'web.example.com'), 'accepted'],
    ['ConfigMap with a long name', configMap('', 'a'.repeat(253)), 'accepted'],
    ['ConfigMap with a name that is too long', configMap('', 'a'.repeat(254)), 'refused'],
    ['ConfigMap with a bad label', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {"a b": c}}}', 'refused'],
    ['ConfigMap with a number for a label', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: 1}}}', 'refused'],
    [
      'ConfigMap with a prefix in capital letters in an annotation',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {"Example.com/A": c}}}',
      'accepted',
    ],
    ['ConfigMap with an unknown field in its metadata', '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, label: {}}}', 'refused'],
    [
      'ConfigMap exported from a cluster',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: x, resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", managedFields: [{manager: a, operation: Update}]}}',
      'accepted',
    ],
    [
      'ConfigMap with null for labels',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: null, annotations: null}}',
      'accepted',
    ],
    ['ConfigMap with an unknown field of the object', configMap('spec: {}'), 'refused'],
    ['Secret', secret('data: {a: aGVsbG8=}, stringData: {b: hello}, type: Opaque'), 'accepted'],
    ['Secret with null for stringData', secret('stringData: null'), 'accepted'],
    ['Secret with what is no base64', secret('data: {a: hello!}'), 'refused'],
    ['Secret with a number in stringData', secret('stringData: {a: 1}'), 'refused'],
    ['Service', service('selector: {a: b}, ports: [{port: 80, targetPort: http}]'), 'accepted'],
    ['Service with text for its port', service('ports: [{port: http}]'), 'refused'],
    ['Service with dots in its name', service('ports: [{port: 80}]', 'a.b'), 'refused'],
    ['Service without ports', service('selector: {a: b}'), 'refused by the server alone'],
    ['Namespace with dots in its name', '{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}', 'refused'],
    [
      'ClusterRole in a namespace',
      `{${rbac}, kind: ClusterRole, metadata: {name: "validate:a", namespace: shop}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}`,
      'accepted',
    ],
    ['Role without rules', `{${rbac}, kind: Role, metadata: {name: a}}`, 'accepted'],
    ['Role with null for rules', `{${rbac}, kind: Role, metadata: {name: a}, rules: null}`, 'accepted'],
    ['RoleBinding without roleRef', `{${rbac}, kind: RoleBinding, metadata: {name: a}}`, 'refused'],
    ['Role with a percent sign in its name', `{${rbac}, kind: Role, metadata: {name: "a%b"}}`, 'refused'],
    [
      'Ingress',
      '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}}',
      'accepted',
    ],
    [
      'Ingress of old',
      '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {backend: {serviceName: a, servicePort: 80}}}',
      'refused',
    ],
    [
      'HorizontalPodAutoscaler',
      '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}',
      'accepted',
    ],
    [
      'HorizontalPodAutoscaler without maxReplicas',
      '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {scaleTargetRef: {kind: Deployment, name: a}}}',
      'refused',
    ],
    [
      'PodDisruptionBudget',
      '{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: 50%, selector: {}}}',
      'accepted',
    ],
    [
      'NetworkPolicy with an empty selector',
      '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {}}}',
      'accepted',
    ],
    [
      'PersistentVolumeClaim',
      '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}',
      'accepted',
    ],
    [
      'Lease with a time',
      '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {renewTime: "2026-01-01T00:00:00.000000Z"}}',
      'accepted',
    ],
    [
      'Lease with a day',
      '{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {renewTime: "2026-01-01"}}',
      'refused',
    ],
    ['ServiceAccount', '{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}, automountServiceAccountToken: false}', 'accepted'],
  ])('%s', async (_, yaml, expected) => {
    await checkVerdict(yaml, expected);
  });
});

describe("V4 V13 V14 custom resources: our verdict by the commit's definition, by the cluster's, and the server's", () => {
  const group = `${uniqueName('validate')}.example.com`;
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      ...{ group, scope: 'Namespaced', names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' } },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: specSchema() } } } },
      ],
    },
  };

  function specSchema(): JsonObject {
    const text = { type: 'string' };
    return {
      type: 'object',
      required: ['size'],
      'x-kubernetes-validations': [{ rule: '!has(self.low) || self.low <= self.size', message: 'low must not be above size' }],
      properties: {
        ...{ size: { type: 'integer', minimum: 1, maximum: 10 }, low: { type: 'integer' }, small: { type: 'integer', format: 'int32' } },
        ...{
          ratio: { type: 'number', minimum: 0, exclusiveMinimum: true },
          color: { type: 'string', enum: ['red', 'green'] },
          on: { type: 'boolean' },
        },
        code: { type: 'string', pattern: '^[a-z]{2,4}$', maxLength: 3 },
        maybe: { type: 'string', nullable: true },
        withDefault: { type: 'string', default: 'x' },
        port: { 'x-kubernetes-int-or-string': true },
        cpu: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+m?$' },
        labels: { type: 'object', additionalProperties: text },
        tags: { type: 'array', items: text, maxItems: 2 },
        unique: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        maybes: { type: 'array', items: { type: 'string', nullable: true } },
        free: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { known: { type: 'integer' }, closed: { type: 'object', properties: { a: text } } },
        },
        anything: { 'x-kubernetes-preserve-unknown-fields': true },
        empty: { type: 'object' },
        embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        ...{
          when: { type: 'string', format: 'date-time' },
          day: { type: 'string', format: 'date' },
          lasting: { type: 'string', format: 'duration' },
        },
        ...{
          raw: { type: 'string', format: 'byte' },
          mail: { type: 'string', format: 'email' },
          made: { type: 'string', format: 'made-up' },
        },
        either: { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      },
    };
  }

  beforeAll(async () => {
    await admin().apply(definition);
    await eventually(async () => {
      expect((await catalogFor([{ apiVersion: `${group}/v1`, kind: 'Widget' }], true)).schema(`${group}/v1`, 'Widget')).toBeDefined();
      expect(
        await dryRun(
          { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'a' }, spec: { size: 1 } },
          { apiVersion: `${group}/v1`, kind: 'Widget', plural: 'widgets', namespaced: true },
        ),
      ).toBeUndefined();
    });
  });

  afterAll(async () => {
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: definition.metadata.name });
  });

  test.each<[string, Verdict]>([
    ['{size: 3}', 'accepted'],
    ['{size: 3, sise: 3}', 'refused'],
    ['{}', 'refused'],
    ['{size: "3"}', 'refused'],
    ['{size: 3.5}', 'refused'],
    ['{size: 11}', 'refused'],
    ['{size: 0}', 'refused'],
    ['{size: 3, low: 5}', 'refused by the server alone'],
    ['{size: 3, small: 2147483648}', 'refused'],
    ['{size: 3, ratio: 0}', 'refused'],
    ['{size: 3, ratio: 0.5, on: true}', 'accepted'],
    ['{size: 3, on: "true"}', 'refused'],
    ['{size: 3, color: blue}', 'refused'],
    ['{size: 3, code: abc}', 'accepted'],
    ['{size: 3, code: abcd}', 'refused'],
    ['{size: 3, code: ABC}', 'refused'],
    ['{size: 3, maybe: null}', 'accepted'],
    ['{size: 3, color: null}', 'refused'],
    ['{size: 3, withDefault: null}', 'accepted'],
    ['{size: 3, labels: null}', 'refused'],
    ['{size: 3, tags: null}', 'refused'],
    ['{size: 3, either: null}', 'refused'],
    ['{size: 3, on: null}', 'refused'],
    ['{size: null}', 'refused'],
    ['{size: 3, maybe: null, labels: {a: null}}', 'refused'],
    ['{size: 3, port: 80}', 'accepted'],
    ['{size: 3, port: http}', 'accepted'],
    ['{size: 3, port: true}', 'refused'],
    ['{size: 3, cpu: 100m}', 'accepted'],
    ['{size: 3, cpu: 1}', 'accepted'],
    ['{size: 3, cpu: lots}', 'refused'],
    ['{size: 3, labels: {a: b}}', 'accepted'],
    ['{size: 3, labels: {a: 1}}', 'refused'],
    ['{size: 3, tags: [a, b, c]}', 'refused'],
    ['{size: 3, tags: [null]}', 'refused'],
    ['{size: 3, unique: [a, a]}', 'refused by the server alone'],
    ['{size: 3, maybes: [null, a]}', 'accepted'],
    ['{size: 3, free: {other: [1], known: 1}}', 'accepted'],
    ['{size: 3, free: {known: x}}', 'refused'],
    ['{size: 3, free: {closed: {b: 1}}}', 'refused by us alone'],
    ['{size: 3, anything: [1, {a: b}]}', 'accepted'],
    ['{size: 3, empty: {}}', 'accepted'],
    ['{size: 3, empty: {a: 1}}', 'refused by us alone'],
    ['{size: 3, embedded: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {a: 1}}}', 'accepted'],
    ['{size: 3, embedded: {spec: {}}}', 'refused'],
    ['{size: 3, when: "2026-01-01T00:00:00Z", day: "2026-01-01", lasting: 1h30m}', 'accepted'],
    ['{size: 3, raw: aGVsbG8=, mail: a@example.com, made: up}', 'accepted'],
    ['{size: 3, day: tomorrow}', 'refused by the server alone'],
    ['{size: 3, either: {a: x}}', 'accepted'],
    ['{size: 3, either: {}}', 'refused'],
    ['{size: 3, either: {a: x, b: x}}', 'refused'],
  ])('%s is %s', async (spec, expected) => {
    const object = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'a' }, spec: parse(spec) } as JsonObject;
    const catalog = await catalogFor([object, definition]);
    await compare(object, judge([object], catalog), catalog, expected);
    await compare(object, judge([definition, object], catalog), catalog, expected);
  });
});
