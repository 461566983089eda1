// Why an Application is left alone, and how that is said.
import { describe, expect, test } from '@jest/globals';
import { describeSuspension, type Pause, suspensionOf } from '../../operator/model/suspension.ts';

const shop = { namespace: 'shop', name: 'web' };

/** The sentence for an Application with such an annotation and spec, or undefined when it is not left alone. */
function sentence(
  annotation: string | undefined,
  { suspend = false, pause }: { suspend?: boolean; pause?: Pause } = {},
): string | undefined {
  const annotations = annotation === undefined ? {} : { 'setpoint.dev/suspended': annotation };
  const suspension = suspensionOf({ annotations, spec: { suspend } as Parameters<typeof suspensionOf>[0]['spec'] }, pause);
  return suspension === undefined ? undefined : describeSuspension(suspension, shop);
}

const off = 'nothing is synced, healed or pruned';

describe('an Application is left alone', () => {
  test.each<[string, Parameters<typeof sentence>, string | undefined]>([
    ['not when nobody asked for it', [undefined], undefined],
    ['not for an empty annotation', [''], undefined],
    ['not for an annotation that says false', [' False '], undefined],
    [
      'for an annotation of the command line, which says who, when and why',
      ['{"by":"ada","at":"2026-11-23T10:00:00Z","reason":"migration"}'],
      `suspended by ada since 2026-11-23T10:00:00Z (migration): ${off}; to go on: setpoint resume web -n shop`,
    ],
    ['for an annotation that says true', ['true'], `suspended: ${off}; to go on: setpoint resume web -n shop`],
    ['for any other text, as its reason', ['hands off'], `suspended (hands off): ${off}; to go on: setpoint resume web -n shop`],
    ['for JSON of another shape', ['{"by":7,"reason":["x"]}'], `suspended: ${off}; to go on: setpoint resume web -n shop`],
    [
      'by its spec, which wins over the annotation because resume cannot undo it',
      ['{"by":"ada"}', { suspend: true }],
      `suspended by spec.suspend: ${off}; to go on, set spec.suspend to false where the Application is declared`,
    ],
    [
      'while everything is paused, whatever else is said',
      ['{"by":"ada"}', { suspend: true, pause: { kind: 'pause', by: 'eve', reason: 'incident 7' } }],
      `Setpoint is paused by eve (incident 7): ${off} anywhere; to go on: setpoint unpause`,
    ],
    [
      'while it cannot be told whether everything is paused',
      [undefined, { pause: { kind: 'unknown', message: 'no permission' } }],
      `whether Setpoint is paused cannot be told, so ${off} anywhere: no permission`,
    ],
  ])('%s', (_, given, expected) => {
    expect(sentence(...given)).toBe(expected);
  });
});
