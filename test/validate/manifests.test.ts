// What becomes of objects without errors: namespace, marks, what is dropped, dependencies, digest.
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../operator/model/manifest.ts';
import { createValidator } from '../../operator/validate/create-validator.ts';
import { smallCatalog, synthesized, validate } from './validation-text.ts';

function manifestsOf(yaml: string, dependsOn?: Readonly<Record<number, readonly number[]>>) {
  const result = validate(synthesized(yaml, dependsOn));
  expect(result.findings).toEqual([]);
  return result.manifests;
}

/** The only manifest's object without our marks. */
function plain(yaml: string): unknown {
  const [manifest] = manifestsOf(yaml);
  const { labels, annotations, ...metadata } = manifest?.object.metadata ?? { name: '' };
  return { ...manifest?.object, metadata };
}

describe('a manifest', () => {
  test('carries the label and the annotation of its Application on itself alone', () => {
    const [manifest] = manifestsOf(
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {app: web}}, spec: {selector: {}, template: {metadata: {labels: {app: web}}, spec: {containers: []}}}}',
    );
    expect(manifest?.object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        namespace: 'shop',
        labels: { app: 'web', 'setpoint.dev/application': '9b4be56421a879d5' },
        annotations: { 'setpoint.dev/application': 'team/shop' },
      },
      spec: { selector: {}, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } } },
    });
    expect(manifest).toMatchObject({
      key: 'apps|Deployment|shop|web',
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      digest: digestOf(manifest?.object ?? {}),
      origin: { constructPath: 'app/web' },
    });
  });

  test('A24 replaces the mark of another Application that was pasted along', () => {
    const [manifest] = manifestsOf(
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {setpoint.dev/application: other}, annotations: {setpoint.dev/application: team/other, keep: me}}}',
    );
    expect(manifest?.object.metadata.labels).toEqual({ 'setpoint.dev/application': '9b4be56421a879d5' });
    expect(manifest?.object.metadata.annotations).toEqual({ 'setpoint.dev/application': 'team/shop', keep: 'me' });
  });

  test('keeps the namespace it names', () => {
    expect(manifestsOf('{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}')[0]?.key).toBe('|ConfigMap|other|a');
  });

  test.each(['""', 'null'])('that names the namespace %s takes that of the destination', (namespace) => {
    expect(manifestsOf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ${namespace}}}`)[0]?.key).toBe(
      '|ConfigMap|shop|a',
    );
  });

  test('of a cluster-scoped kind has no namespace, whatever the chart gave it', () => {
    expect(plain('{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: shop}}')).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a' },
    });
  });

  test("holds nothing that is the server's to say", () => {
    expect(
      plain(
        '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, creationTimestamp: null, uid: u, resourceVersion: "7", managedFields: []}, data: {a: b}, status: {x: 1}}',
      ),
    ).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' }, data: { a: 'b' } });
  });

  test('of a Secret has its stringData folded into data', () => {
    expect(plain('{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: YQ==, b: YQ==}, stringData: {b: "é", c: ""}}')).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a', namespace: 'shop' },
      data: { a: 'YQ==', b: 'w6k=', c: '' },
    });
  });

  test('of another kind called Secret keeps its stringData', () => {
    const definition = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: secrets.example.com}, spec: {group: example.com, scope: Namespaced, names: {kind: Secret, plural: secrets}, versions: [{name: v1, schema: {openAPIV3Schema: {type: object, properties: {stringData: {type: object, additionalProperties: {type: string}}}}}}]}}`;
    const [, secret] = manifestsOf(
      `${definition}\n---\n{apiVersion: example.com/v1, kind: Secret, metadata: {name: a}, stringData: {a: b}}`,
    );
    expect(secret?.object['stringData']).toEqual({ a: 'b' });
  });

  test('knows the keys of what it depends on, each once', () => {
    const names = ['a', 'b', 'a'].map(
      (name, index) => `{apiVersion: v1, kind: ${index === 2 ? 'Secret' : 'ConfigMap'}, metadata: {name: ${name}}}`,
    );
    expect(manifestsOf(names.join('\n---\n'), { 1: [2, 0, 2] }).map((manifest) => manifest.dependsOn)).toEqual([
      [],
      ['|ConfigMap|shop|a', '|Secret|shop|a'],
      [],
    ]);
  });
});

test('a finding shows the whole chain of calls when more than its place is known', () => {
  const frames = [
    { file: 'lib/web.ts', line: 3, column: 5 },
    { file: 'main.ts', line: 9, column: 1 },
  ];
  const [one] = synthesized('{apiVersion: v1, kind: ConfigMap, metadata: {name: A}}');
  const ask = (chain: typeof frames) =>
    validate(one === undefined ? [] : [{ ...one, origin: { constructPath: 'app/a', frames: chain } }]).findings[0];
  expect(ask(frames)).toMatchObject({ position: frames[0], frames });
  expect(ask(frames.slice(0, 1))?.frames).toBeUndefined();
});

describe('what is remembered', () => {
  const yaml = '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}';

  test('depends on the Application and the destination', () => {
    const validator = createValidator();
    const ask = (name: string, destinationNamespace: string) =>
      validator.validate({
        objects: synthesized(yaml),
        catalog: smallCatalog(),
        application: { namespace: 'team', name },
        destinationNamespace,
      }).manifests[0];
    expect(ask('one', 'a')?.key).toBe('|ConfigMap|a|a');
    expect(ask('one', 'b')?.key).toBe('|ConfigMap|b|a');
    expect(ask('two', 'a')?.object.metadata.annotations).toEqual({ 'setpoint.dev/application': 'team/two' });
  });

  test('depends on the version of the schema', () => {
    const validator = createValidator();
    const strict = smallCatalog({ version: 'two' });
    const closed = {
      ...strict,
      schema: () => ({ schema: { type: 'object', properties: { kind: {}, metadata: {} } }, components: {}, version: 'closed' }),
    };
    expect(validate(synthesized(yaml), smallCatalog(), validator).findings).toEqual([]);
    expect(validate(synthesized(yaml), closed, validator).findings.map((finding) => finding.code)).toEqual(['UnknownField']);
  });

  test('never is the position: the same object from elsewhere is reported there', () => {
    const validator = createValidator();
    const wrong = '{apiVersion: v1, kind: ConfigMap, metadata: {name: A}}';
    const [one] = synthesized(wrong);
    expect(validate(synthesized(wrong), smallCatalog(), validator).findings[0]?.position).toEqual({ file: 'main.ts', line: 1, column: 3 });
    const moved = one === undefined ? [] : [{ ...one, origin: { constructPath: 'app/b', frames: [{ file: 'b.ts', line: 9, column: 1 }] } }];
    expect(validate(moved, smallCatalog(), validator).findings[0]).toMatchObject({
      position: { file: 'b.ts', line: 9, column: 1 },
      constructPath: 'app/b',
    });
  });
});
