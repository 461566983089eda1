// No value of a Secret remains in what is shown of it, in whatever form and place.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../operator/model/json.ts';
import { maskSecret } from '../../operator/plan/mask-secret.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function secret(data: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token', ...metadata }, data };
}

describe('a value of a Secret', () => {
  test('that stays the same is told to be the same, one that changes to have changed', () => {
    const { before, after } = maskSecret({
      before: secret({ a: 'eA==', b: 'eQ==', c: 'eg==' }),
      after: secret({ a: 'eA==', b: 'eA==', d: 'eA==' }),
    });
    expect(before?.['data']).toEqual({ a: '***', b: '*** (before)', c: '***' });
    expect(after?.['data']).toEqual({ a: '***', b: '*** (after)', d: '***' });
  });

  test('is masked where the object exists on one side only, and where data is no map', () => {
    expect(maskSecret({ before: undefined, after: secret({ a: 'eA==' }) }).after?.['data']).toEqual({ a: '***' });
    const odd = { ...secret({}), data: 'hunter22' };
    expect(maskSecret({ before: odd, after: undefined }).before?.['data']).toBe('***');
  });

  test('is masked in the copy that kubectl keeps, also when it is of another day', () => {
    const annotation = {
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"a":"${base64('of another day')}"}}`, note: 'kept' },
    };
    const { before } = maskSecret({ before: secret({ a: base64('of today') }, annotation), after: undefined });
    expect(before?.['metadata']).toMatchObject({
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '***', note: 'kept' },
    });
  });

  test('is masked in any other text that holds it, plain or encoded', () => {
    const notes = { annotations: { plain: 'use hunter22 here', encoded: `x${base64('hunter22')}y`, other: 'harmless' } };
    const { after } = maskSecret({
      before: undefined,
      after: { ...secret({ a: base64('hunter22') }, notes), stringData: { b: 'second-value' } },
    });
    expect(after).toMatchObject({
      metadata: { annotations: { plain: '***', encoded: '***', other: 'harmless' } },
      stringData: { b: '***' },
    });
  });

  test('leaves who holds which fields alone, though a value may have the same name', () => {
    const managedFields = [{ manager: 'setpoint', operation: 'Apply' }];
    const { before } = maskSecret({ before: secret({ a: base64('setpoint') }, { managedFields }), after: undefined });
    expect(before?.['metadata']).toMatchObject({ managedFields });
  });
});

test('T8 whatever the values are, none of them is left', () => {
  const value = fc.string({ minLength: 4, maxLength: 40 }).filter((text) => !'v1Secret*** (before)*** (after)nametoken'.includes(text));
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), fc.dictionary(fc.string({ minLength: 1 }), value), (left, right) => {
      const made = (values: Record<string, string>): JsonObject =>
        secret(Object.fromEntries(Object.entries(values).map(([name, text]) => [`k${name.length}`, base64(text)])), {
          annotations: { copy: Object.values(values).join(' ') },
        });
      const text = JSON.stringify(maskSecret({ before: made(left), after: made(right) }));
      for (const each of [...Object.values(left), ...Object.values(right)]) {
        expect(text.includes(base64(each)) || (each.length > 3 && text.includes(JSON.stringify(each).slice(1, -1)))).toBe(false);
      }
    }),
  );
});

test('an object that is no Secret stays as it is', () => {
  const pair = {
    before: { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } },
    after: { apiVersion: 'example.com/v1', kind: 'Secret', data: { a: 'c' } },
  };
  expect(maskSecret(pair)).toEqual(pair);
});
