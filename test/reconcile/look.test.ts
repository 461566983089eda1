// Which look answers which reasons, and whom history names.
import { describe, expect, test } from '@jest/globals';
import type { Application } from '../../operator/model/application.ts';
import { suspensionOf } from '../../operator/model/suspension.ts';
import { type ApplicationMemory, createMemory, type Reason } from '../../operator/reconcile/application-memory.ts';
import { chooseLook, initiatorOf, type LookKind } from '../../operator/reconcile/look.ts';
import { outcomeOf } from '../events/fixtures.ts';

function applicationOf(extra: { readonly deleted?: boolean; readonly suspend?: boolean } = {}): Application {
  const spec = { suspend: extra.suspend ?? false } as Application['spec'];
  const metadata = { namespace: 'shop', name: 'web', uid: 'u', generation: 1, resourceVersion: '1', annotations: {}, finalizers: [] };
  return { ...metadata, ...(extra.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}), spec };
}

function memoryOf({ looked, suspects }: { readonly looked: boolean; readonly suspects: number }): ApplicationMemory {
  const memory = createMemory(applicationOf());
  if (looked) memory.lastOutcome = outcomeOf();
  for (let index = 0; index < suspects; index += 1) memory.suspects.add(`|ConfigMap|shop|${index}`);
  return memory;
}

describe('the least look that answers all reasons', () => {
  test.each<[readonly Reason[], { looked: boolean; suspects: number }, { deleted?: boolean; suspend?: boolean }, LookKind]>([
    [['health'], { looked: true, suspects: 0 }, {}, 'health'],
    [['health'], { looked: true, suspects: 1 }, {}, 'health'],
    [['drift'], { looked: true, suspects: 1 }, {}, 'heal'],
    [['drift', 'health'], { looked: true, suspects: 0 }, {}, 'health'],
    [['drift', 'commit'], { looked: true, suspects: 1 }, {}, 'sync'],
    [['retry'], { looked: true, suspects: 0 }, {}, 'sync'],
    [['health'], { looked: false, suspects: 0 }, {}, 'sync'],
    [['commit'], { looked: true, suspects: 0 }, { suspend: true }, 'suspended'],
    [['commit'], { looked: true, suspects: 1 }, { suspend: true, deleted: true }, 'finalize'],
  ])('%j with %j of %j is %s', (reasons, memory, application, expected) => {
    const suspension = suspensionOf(applicationOf(application), undefined);
    expect(chooseLook(applicationOf(application), suspension, memoryOf(memory), reasons)).toBe(expected);
  });
});

describe('who asked', () => {
  test.each<[readonly Reason[], string | undefined, string]>([
    [['start'], undefined, 'commit'],
    [['drift', 'request'], 'commit', 'request'],
    [['retry'], 'spec', 'spec'],
    [['health'], 'drift', 'drift'],
    [['commit', 'spec'], undefined, 'commit'],
    [['resume', 'drift'], 'commit', 'resume'],
  ])('for %j after %s is %s', (reasons, last, expected) => {
    expect(initiatorOf(reasons, last === undefined ? undefined : outcomeOf({ initiatedBy: last }))).toBe(expected);
  });
});
