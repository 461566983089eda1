// One named fixture per state of a kind; the first line of each says what its health is.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { assessHealth, healthRules } from '../../operator/health/assess-health.ts';
import { healthStates } from '../../operator/model/health.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import { kindsWithStatus } from '../../operator/model/kinds-with-status.ts';
import { groupOf } from '../../operator/model/object-ref.ts';

const folder = path.join(import.meta.dirname, 'fixtures');
const fixtures = readdirSync(folder).map((file) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const expected = text.slice(2, text.indexOf('\n'));
  return { name: file.replace('.yaml', '').replaceAll('-', ' '), expected, object: parse(text) as JsonObject };
});

function checkHealth(object: JsonObject, expected: string): void {
  const { state, message } = assessHealth(object);
  expect(message === '' ? state : `${state}: ${message}`).toBe(expected);
}

describe('health', () => {
  test.each(fixtures)('of $name is "$expected"', ({ object, expected }) => {
    checkHealth(object, expected);
  });

  test('has a rule for every built-in kind whose status is watched, and each rule a fixture for Healthy and one for another state', () => {
    expect(Object.keys(healthRules).sort()).toEqual([...kindsWithStatus].sort());
    const seen = new Set(fixtures.map(({ object, expected }) => `${kindOf(object)} ${expected.split(':')[0] === 'Healthy'}`));
    const single = new Set(['|ReplicationController', 'networking.k8s.io|Ingress']);
    const wanted = Object.keys(healthRules).flatMap((kind) => [`${kind} true`, ...(single.has(kind) ? [] : [`${kind} false`])]);
    expect(wanted.filter((entry) => !seen.has(entry))).toEqual([]);
  });

  test.each([
    [{}],
    [{ metadata: null, spec: [], status: 'x' }],
    [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, status: null }],
    [{ apiVersion: 'v1', kind: 'Pod', status: { containerStatuses: [null, 1, { state: 'x' }] } }],
  ])('of something that is not as expected is still an answer: %j', (object) => {
    expect(healthStates).toContain(assessHealth(object as JsonObject).state);
  });
});

function kindOf(object: JsonObject): string {
  return `${groupOf(String(object['apiVersion']))}|${object['kind']}`;
}
