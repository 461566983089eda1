// Validation answers about anything that can come out of JSON, and always the same.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, type SynthesizedObject } from '../../operator/model/manifest.ts';
import { createValidator } from '../../operator/validate/create-validator.ts';
import { smallCatalog, validate } from './validation-text.ts';

const kinds = fc.constantFrom(
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['apps/v1', 'Deployment'],
  ['v1', 'Namespace'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['v1', 'Nope'],
);
const words = fc.constantFrom(
  'name',
  'namespace',
  'labels',
  'annotations',
  'spec',
  'data',
  'stringData',
  'template',
  'metadata',
  'containers',
  'versions',
  'names',
  'schema',
  'a',
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(words, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const objects = fc.oneof(
  fc
    .tuple(kinds, fc.dictionary(words, values, { maxKeys: 5 }), fc.dictionary(words, values, { maxKeys: 4 }))
    .map(([[apiVersion, kind], members, metadata]) => ({
      ...members,
      apiVersion,
      kind,
      metadata: { name: 'a', ...metadata },
    })),
  fc.dictionary(words, values),
);
const synthesized = fc
  .array(fc.record({ object: objects, dependsOn: fc.array(fc.nat(5), { maxLength: 3 }) }), { maxLength: 6 })
  .map((list) =>
    list.map(
      ({ object, dependsOn }): SynthesizedObject => ({ object: object as never, dependsOn, origin: { constructPath: 'app', frames: [] } }),
    ),
  );

test('every object has a manifest or a finding, a second look says the same, and the input is left as it was', () => {
  const validator = createValidator();
  fc.assert(
    fc.property(synthesized, (list) => {
      const before = JSON.stringify(list);
      const first = validate(list, smallCatalog(), validator);
      expect(JSON.stringify(list)).toBe(before);
      expect(validate(list, smallCatalog(), validator)).toEqual(first);
      expect(validate(list)).toEqual(first);
      expect(first.manifests.length + first.findings.length).toBeGreaterThanOrEqual(list.length);
      for (const manifest of first.manifests) expect(manifest.digest).toBe(digestOf(manifest.object));
    }),
    { numRuns: 60 },
  );
});
