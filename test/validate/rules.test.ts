// What each rule says, as text. Schemas have schema.test.ts; what becomes of a good object is in manifests.test.ts.
import { describe, expect, test } from '@jest/globals';
import { findingsText, smallCatalog, synthesized, validate } from './validation-text.ts';

function checkFindings(yaml: string, expected: readonly string[], dependsOn?: Readonly<Record<number, readonly number[]>>): void {
  const result = validate(synthesized(yaml, dependsOn));
  expect(findingsText(result)).toEqual(expected);
}

const configMap = (metadata: string): string => `{apiVersion: v1, kind: ConfigMap, metadata: ${metadata}}`;
const long = (length: number): string => 'a'.repeat(length);

describe('objects that are none', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'everything is missing',
      'data: {a: b}',
      [
        'InvalidObject main.ts:1:3: apiVersion is missing',
        'InvalidObject main.ts:1:3: kind is missing',
        'InvalidObject main.ts:1:3: metadata is missing; give the object a metadata.name',
      ],
    ],
    ['the name is missing', configMap('{}'), ['InvalidObject main.ts:1:3: metadata.name is missing']],
    ['the name is empty', configMap('{name: ""}'), ['InvalidObject main.ts:1:3: metadata.name is empty']],
    ['the name is a number', configMap('{name: 8080}'), ['InvalidObject main.ts:1:3: metadata.name is not a string']],
    ['the kind is a number', '{apiVersion: v1, kind: 1, metadata: {name: a}}', ['InvalidObject main.ts:1:3: kind is not a string']],
    ['the namespace is a number', configMap('{name: a, namespace: 1}'), ['InvalidObject main.ts:1:3: metadata.namespace is not a string']],
    [
      'V8 the name is generated',
      configMap('{generateName: web-}'),
      ['GenerateName main.ts:1:3: generateName gives another name at every sync, so the object could never equal Git; use metadata.name'],
    ],
  ])('%s', (_, yaml, expected) => {
    checkFindings(yaml, expected);
  });

  test.each(['__proto__', 'constructor'])('S11 the key %s is refused at any depth', (key) => {
    const object = JSON.parse(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"deep":[{"${key}":{"x":"y"}}]}}`);
    const result = validate([{ object, origin: { constructPath: 'app/a', frames: [] }, dependsOn: [] }]);
    expect(findingsText(result)).toEqual([`InvalidObject the key "${key}" is not allowed; rename the key`]);
    expect(result.findings[0]?.field).toBe(`.data.deep[0].${key}`);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('S8 an object nested 300 members deep is refused', () => {
    let data: unknown = 'x';
    for (let level = 0; level < 300; level += 1) data = { a: data };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data } as never;
    const [finding] = validate([{ object, origin: { constructPath: 'app/a', frames: [] }, dependsOn: [] }]).findings;
    expect(finding?.message).toBe('values are nested deeper than 200 levels');
    expect(finding?.field?.length).toBeLessThan(130);
  });

  test.each([300, 50_000])('S8 an object nested %d levels deep is refused', (depth) => {
    let value: unknown = 'x';
    for (let level = 0; level < depth; level += 1) value = [value];
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: value } as never;
    const result = validate([{ object, origin: { constructPath: 'app/a', frames: [] }, dependsOn: [] }]);
    expect(findingsText(result)).toEqual(['InvalidObject values are nested deeper than 200 levels']);
  });
});

describe('kinds', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'a mistyped kind',
      '{apiVersion: apps/v1, kind: Deploymnet, metadata: {name: web}}',
      [
        'UnknownKind main.ts:1:3: Deploymnet shop/web .kind: the cluster does not know the kind Deploymnet of apps/v1; did you mean Deployment (apps/v1)?',
      ],
    ],
    [
      'a kind of another group',
      '{apiVersion: v1, kind: Deployment, metadata: {name: web}}',
      ['UnknownKind main.ts:1:3: Deployment shop/web .kind: the cluster does not know the kind Deployment of v1; did you mean apps/v1?'],
    ],
    [
      'A28 a version that is not served',
      '{apiVersion: autoscaling/v2beta2, kind: HorizontalPodAutoscaler, metadata: {name: web}}',
      [
        'UnknownKind main.ts:1:3: HorizontalPodAutoscaler shop/web .apiVersion: HorizontalPodAutoscaler is not served in version v2beta2; served: autoscaling/v1, autoscaling/v2',
      ],
    ],
    [
      'V3 a kind nobody knows',
      '{apiVersion: example.com/v1, kind: Widget, metadata: {name: one}}',
      [
        'UnknownKind main.ts:1:3: Widget shop/one .kind: the cluster does not know the kind Widget of example.com/v1; install its CustomResourceDefinition in the cluster or declare it in the same commit',
      ],
    ],
  ])('%s', (_, yaml, expected) => {
    checkFindings(yaml, expected);
  });

  test('A27 a kind of a group that does not answer is not called unknown', () => {
    const objects = synthesized('{apiVersion: metrics.example.com/v1, kind: Meter, metadata: {name: one}}');
    expect(findingsText(validate(objects, smallCatalog({ failedGroups: ['metrics.example.com'] })))).toEqual([
      'GroupUnavailable main.ts:1:3: Meter shop/one .apiVersion: the API group metrics.example.com does not answer, so Meter cannot be checked; look at the APIService of the group; the sync goes on when it answers',
    ]);
  });
});

describe('V7 names', () => {
  const named = (apiVersion: string, kind: string, name: string): string => JSON.stringify({ apiVersion, kind, metadata: { name } });
  const rbac = 'rbac.authorization.k8s.io/v1';
  test.each<[string, string, string, boolean]>([
    ['v1', 'ConfigMap', 'web', true],
    ['v1', 'ConfigMap', 'web.example.com', true],
    ['v1', 'ConfigMap', long(253), true],
    ['v1', 'ConfigMap', long(254), false],
    ['v1', 'ConfigMap', 'Web', false],
    ['v1', 'ConfigMap', 'web_1', false],
    ['v1', 'ConfigMap', '-web', false],
    ['v1', 'ConfigMap', 'web-', false],
    ['v1', 'ConfigMap', 'web..one', false],
    ['v1', 'ConfigMap', 'wéb', false],
    ['v1', 'ConfigMap', 'wеb', false],
    ['v1', 'ConfigMap', '../web', false],
    ['v1', 'ConfigMap', 'web\n', false],
    ['v1', 'Namespace', 'shop.example.com', false],
    ['v1', 'Namespace', long(63), true],
    ['v1', 'Namespace', long(64), false],
    ['v1', 'Service', 'web.example', false],
    [rbac, 'ClusterRole', 'system:Reader', true],
    [rbac, 'ClusterRole', 'a/b', false],
    [rbac, 'ClusterRole', '..', false],
  ])('%s %s %j: %s', (apiVersion, kind, name, allowed) => {
    expect(validate(synthesized(named(apiVersion, kind, name))).findings.map((finding) => finding.code)).toEqual(
      allowed ? [] : ['InvalidName'],
    );
  });

  test('are shown with what is allowed', () => {
    checkFindings(configMap('{name: Web_1, namespace: Shop}'), [
      'InvalidName main.ts:1:3: ConfigMap Shop/Web_1 .metadata.name: "Web_1" is not a valid name; allowed are lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
      'InvalidName main.ts:1:3: ConfigMap Shop/Web_1 .metadata.namespace: "Shop" is not a valid name; allowed are lower-case letters, digits and "-", beginning and ending with a letter or digit',
    ]);
  });
});

describe('V7 labels and annotations', () => {
  const labelled = (labels: object): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels } });
  test.each<[object, boolean]>([
    [{ 'app.kubernetes.io/name': 'web' }, true],
    [{ app: '' }, true],
    [{ app: long(63) }, true],
    [{ app: long(64) }, false],
    [{ app: 'not a value' }, false],
    [{ app: '-web' }, false],
    [{ '': 'web' }, false],
    [{ 'a/b/c': 'web' }, false],
    [{ '/app': 'web' }, false],
    [{ 'Example.com/app': 'web' }, false],
    [{ [long(64)]: 'web' }, false],
    [{ [`${long(254)}/app`]: 'web' }, false],
  ])('label %j: %s', (labels, allowed) => {
    expect(validate(synthesized(labelled(labels))).findings.map((finding) => finding.code)).toEqual(allowed ? [] : ['InvalidName']);
  });

  test('are looked at in pod templates too', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a' },
      spec: { template: { metadata: { labels: { app: 'a b' } } } },
    };
    expect(findingsText(validate(synthesized(JSON.stringify(object))))).toEqual([
      'InvalidName main.ts:1:3: Service shop/a .spec.template.metadata.labels.app: "a b" is not a valid label value; allowed are letters, digits, "-", "_" and ".", beginning and ending with a letter or digit; free text belongs in an annotation',
    ]);
  });

  test('a key of an annotation may have capital letters and its value any text', () => {
    checkFindings(configMap('{name: a, annotations: {"Example.com/Note": "any text: ✓"}}'), []);
  });

  test('a key of an annotation that is none', () => {
    checkFindings(configMap('{name: a, annotations: {"a b": c}}'), [
      'InvalidName main.ts:1:3: ConfigMap shop/a .metadata.annotations["a b"]: "a b" is not a valid annotation key; a key is a name of at most 63 letters, digits, "-", "_" and ".", optionally after a DNS prefix and one "/"',
    ]);
  });

  test('annotations above 256 KiB', () => {
    checkFindings(configMap(`{name: a, annotations: {big: ${long(262_144)}}}`), [
      'ObjectTooLarge main.ts:1:3: ConfigMap shop/a .metadata.annotations: annotations hold 262147 bytes, at most 262144 are allowed; move the content into a ConfigMap',
    ]);
  });
});

test('S12 an object larger than etcd takes is refused', () => {
  const yaml = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { big: 'é'.repeat(800_000) } });
  expect(findingsText(validate(synthesized(yaml)))).toEqual([
    'ObjectTooLarge main.ts:1:3: ConfigMap shop/a: the object has 1600080 bytes, the API server stores at most 1572864; split it into several objects',
  ]);
});

describe('V6 duplicates', () => {
  test('name both constructs and both positions', () => {
    checkFindings([configMap('{name: a}'), configMap('{name: b}'), configMap('{name: a, namespace: shop}')].join('\n---\n'), [
      'DuplicateObject main.ts:3:3: ConfigMap shop/a: declared twice, by app/a (main.ts:1:3) and by app/a (main.ts:3:3); rename or remove one of them',
    ]);
  });

  test('are found through two versions of a group', () => {
    checkFindings(
      ['autoscaling/v1', 'autoscaling/v2']
        .map((version) => `{apiVersion: ${version}, kind: HorizontalPodAutoscaler, metadata: {name: web}}`)
        .join('\n---\n'),
      [
        'DuplicateObject main.ts:2:3: HorizontalPodAutoscaler shop/web: declared twice, as autoscaling/v1 and as autoscaling/v2, by app/web (main.ts:1:3) and by app/web (main.ts:2:3); rename or remove one of them',
      ],
    );
  });

  test('are found for cluster-scoped objects that name a namespace', () => {
    const role = (namespace: string): string =>
      `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a${namespace}}}`;
    expect(validate(synthesized(`${role('')}\n---\n${role(', namespace: x')}`)).findings.map((finding) => finding.code)).toEqual([
      'DuplicateObject',
    ]);
  });

  test('the same name in another namespace or group is none', () => {
    const yaml = [configMap('{name: a}'), configMap('{name: a, namespace: b}'), '{apiVersion: v1, kind: Service, metadata: {name: a}}'];
    checkFindings(yaml.join('\n---\n'), []);
  });
});

describe('dependency cycles', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => configMap(`{name: ${name}}`)).join('\n---\n');

  test('are reported once, with the way around', () => {
    checkFindings(
      four,
      [
        'DependencyCycle main.ts:1:3: ConfigMap shop/a: depends on itself: app/a -> app/c -> app/b -> app/a; remove one of these dependencies',
      ],
      {
        0: [2],
        1: [0],
        2: [1],
        3: [0, 1, 2],
      },
    );
  });

  test('an object that depends on itself', () => {
    checkFindings(
      four,
      ['DependencyCycle main.ts:2:3: ConfigMap shop/b: depends on itself: app/b -> app/b; remove one of these dependencies'],
      { 1: [1] },
    );
  });

  test('several ways to one object are no cycle', () => {
    checkFindings(four, [], { 0: [1, 2], 1: [3], 2: [3] });
  });
});

test('all findings of all objects come at once, in the order of the objects', () => {
  const yaml = [configMap('{name: A}'), '{apiVersion: v1, kind: Nope, metadata: {name: b}}', configMap('{}'), configMap('{name: ok}')].join(
    '\n---\n',
  );
  const result = validate(synthesized(yaml));
  expect(result.findings.map((finding) => `${finding.position?.line} ${finding.code}`)).toEqual([
    '1 InvalidName',
    '2 UnknownKind',
    '3 InvalidObject',
  ]);
  expect(result.manifests.map((manifest) => manifest.ref.name)).toEqual(['ok']);
});
