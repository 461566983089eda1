// The order of a sync and where it waits, as text; and the properties any plan has.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Manifest } from '../../operator/model/manifest.ts';
import { planChanges } from '../../operator/plan/plan-changes.ts';
import { changesText, desired, live, owned, stepsText, world } from './plan-text.ts';

function checkSteps(parts: Parameters<typeof world>[0], expected: readonly string[]): void {
  expect(stepsText(planChanges(world(parts)))).toEqual(expected);
}

const crd = desired('CustomResourceDefinition widgets.example.com', { spec: { group: 'example.com', names: { kind: 'Widget' } } });

describe('order of apply', () => {
  test('A13 what is needed to be accepted, then what workloads read, then workloads, then admission webhooks', () => {
    checkSteps(
      {
        desired: [
          'ValidatingWebhookConfiguration guard',
          'Ingress shop/web',
          'Deployment shop/web',
          'Service shop/web',
          'ConfigMap shop/web',
          'Role shop/web',
          'ServiceAccount shop/web',
          'Namespace shop',
        ].map((text) => desired(text)),
      },
      [
        'create Namespace shop',
        'create ServiceAccount shop/web, create Role shop/web, create ConfigMap shop/web',
        'create Service shop/web, create Deployment shop/web, create Ingress shop/web',
        'create ValidatingWebhookConfiguration guard',
      ],
    );
  });

  test('V4 a custom resource waits until the CustomResourceDefinition of the same commit is established', () => {
    checkSteps({ desired: [desired('Widget shop/one'), crd, desired('Namespace shop')] }, [
      'create Namespace shop, create CustomResourceDefinition widgets.example.com | wait for apiextensions.k8s.io|CustomResourceDefinition||widgets.example.com',
      'create Widget shop/one',
    ]);
  });

  test('a CustomResourceDefinition that did not change is not waited for', () => {
    checkSteps(
      { desired: [desired('Widget shop/one'), crd], owned: [owned(crd)], live: [live('CustomResourceDefinition widgets.example.com')] },
      ['create Widget shop/one'],
    );
  });

  test('a dependency is applied and healthy before its dependants', () => {
    checkSteps(
      {
        desired: [
          desired('Deployment shop/a-web', { dependsOn: ['StatefulSet shop/db', 'Job shop/migrate'] }),
          desired('Job shop/migrate', { dependsOn: ['StatefulSet shop/db'] }),
          desired('StatefulSet shop/db'),
          desired('Deployment shop/mail'),
        ],
      },
      [
        'create StatefulSet shop/db, create Deployment shop/mail | wait for apps|StatefulSet|shop|db',
        'create Job shop/migrate | wait for batch|Job|shop|migrate',
        'create Deployment shop/a-web',
      ],
    );
  });

  test('a dependency that kind order keeps anyway costs no step of its own', () => {
    checkSteps(
      {
        desired: [
          desired('Deployment shop/web', { dependsOn: ['ConfigMap shop/web'] }),
          desired('Deployment shop/mail'),
          desired('ConfigMap shop/web'),
        ],
      },
      ['create ConfigMap shop/web | wait for |ConfigMap|shop|web', 'create Deployment shop/mail, create Deployment shop/web'],
    );
  });

  test('a declared dependency comes before kind order', () => {
    checkSteps({ desired: [desired('ConfigMap shop/late', { dependsOn: ['Deployment shop/web'] }), desired('Deployment shop/web')] }, [
      'create Deployment shop/web | wait for apps|Deployment|shop|web',
      'create ConfigMap shop/late',
    ]);
  });

  test('a namespace that depends on something takes its objects along', () => {
    checkSteps(
      {
        desired: [
          desired('Namespace late', { dependsOn: ['ClusterRole first'] }),
          desired('ConfigMap late/settings'),
          desired('ClusterRole first'),
        ],
      },
      [
        'create ClusterRole first | wait for rbac.authorization.k8s.io|ClusterRole||first',
        'create Namespace late',
        'create ConfigMap late/settings',
      ],
    );
  });

  test('a dependency that did not change is still waited for before its dependant is written', () => {
    const db = desired('StatefulSet shop/db');
    checkSteps(
      {
        desired: [desired('Deployment shop/web', { dependsOn: ['StatefulSet shop/db'] }), db],
        owned: [owned(db)],
        live: [live('StatefulSet shop/db')],
      },
      ['| wait for apps|StatefulSet|shop|db', 'create Deployment shop/web'],
    );
  });

  test('an object whose dependency belongs to someone else is held back, and so is what depends on it', () => {
    const plan = planChanges(
      world({
        desired: [
          desired('Deployment shop/web', { dependsOn: ['Job shop/migrate'] }),
          desired('Job shop/migrate', { dependsOn: ['StatefulSet shop/db'] }),
          desired('StatefulSet shop/db'),
        ],
        live: [live('StatefulSet shop/db', { owner: { namespace: 'team', name: 'billing' } })],
      }),
    );
    expect(changesText(plan)).toEqual([
      'conflict StatefulSet shop/db: belongs to Application team/billing',
      'skip Job shop/migrate: waits for StatefulSet shop/db, which it depends on',
      'skip Deployment shop/web: waits for Job shop/migrate, which it depends on',
    ]);
    expect(plan.steps).toEqual([]);
  });

  test.each<[string, Parameters<typeof world>[0], readonly string[]]>([
    ['is being deleted', { live: [live('StatefulSet shop/db', { deletionTimestamp: '2026-01-01T00:00:00Z' })] }, []],
    ['is missing and not healed', { owned: [owned(desired('StatefulSet shop/db'))], policy: { selfHeal: false } }, []],
    [
      'drifted and is not healed',
      {
        owned: [owned(desired('StatefulSet shop/db'))],
        live: [live('StatefulSet shop/db')],
        suspects: ['StatefulSet shop/db'],
        policy: { selfHeal: false },
      },
      ['| wait for apps|StatefulSet|shop|db', 'create Deployment shop/web'],
    ],
  ])('an object is written or held back when its dependency %s', (_, parts, expected) => {
    const objects = [desired('Deployment shop/web', { dependsOn: ['StatefulSet shop/db'] }), desired('StatefulSet shop/db')];
    checkSteps({ ...parts, desired: objects }, expected);
  });

  test('a dependency on something that is not declared is none', () => {
    checkSteps({ desired: [desired('Deployment shop/web', { dependsOn: ['StatefulSet shop/other', 'Deployment shop/web'] })] }, [
      'create Deployment shop/web',
    ]);
  });

  test('a definition that is not as it should be is applied like any other object', () => {
    const specs = [{ names: 'broken' }, { group: 'example.com' }];
    checkSteps({ desired: specs.map((spec, index) => desired(`CustomResourceDefinition broken-${index}`, { spec })) }, [
      'create CustomResourceDefinition broken-0, create CustomResourceDefinition broken-1',
    ]);
  });

  test('P12 what left Git goes after everything is applied, in reverse order', () => {
    const gone = ['ConfigMap shop/old', 'Deployment shop/old', 'Service shop/old', 'ValidatingWebhookConfiguration old'];
    checkSteps(
      { desired: [desired('Deployment shop/web')], owned: gone.map((text) => owned(desired(text))), live: gone.map((text) => live(text)) },
      [
        'create Deployment shop/web',
        'prune ValidatingWebhookConfiguration old',
        'prune Deployment shop/old, prune Service shop/old',
        'prune ConfigMap shop/old',
      ],
    );
  });
});

describe('properties of every plan', () => {
  const kinds = ['Namespace', 'ConfigMap', 'Deployment', 'Job', 'Service', 'ClusterRole', 'PersistentVolumeClaim'];
  const name = fc.record({ kind: fc.constantFrom(...kinds), name: fc.constantFrom('a', 'b', 'c', 'd') });
  const text = (object: { kind: string; name: string }): string =>
    ['Namespace', 'ClusterRole'].includes(object.kind) ? `${object.kind} ${object.name}` : `${object.kind} a/${object.name}`;
  const worlds = fc
    .record({
      now: fc.uniqueArray(name, { selector: text, maxLength: 10 }),
      before: fc.uniqueArray(name, { selector: text, maxLength: 10 }),
      alive: fc.uniqueArray(name, { selector: text, maxLength: 10 }),
      suspects: fc.uniqueArray(name, { selector: text, maxLength: 4 }),
      edges: fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 8 }),
      policy: fc.record({ prune: fc.boolean(), selfHeal: fc.boolean() }),
      salt: fc.integer(),
    })
    .map((sample) => {
      const names = sample.now.map(text);
      const manifests: readonly Manifest[] = names.map((item, index) =>
        desired(item, {
          version: index % 3,
          dependsOn: sample.edges.filter(([from, to]) => from === index && to < index).map(([, to]) => names[to] ?? ''),
        }),
      );
      return {
        parts: {
          desired: manifests,
          owned: sample.before.map((item) => owned(desired(text(item)))),
          live: sample.alive.map((item) => live(text(item))),
          suspects: sample.suspects.map(text),
          policy: sample.policy,
        },
        salt: sample.salt,
      };
    });

  const shuffled = <T>(items: readonly T[], salt: number): readonly T[] =>
    items
      .map((item, index) => ({ item, at: Math.sin(salt + index * 7.1) }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);

  test('the order of the input does not matter', () => {
    fc.assert(
      fc.property(worlds, ({ parts, salt }) => {
        const mixed = {
          ...parts,
          desired: shuffled(parts.desired, salt).map((manifest) => ({ ...manifest, dependsOn: shuffled(manifest.dependsOn, salt) })),
          owned: shuffled(parts.owned, salt),
        };
        const [one, two] = [planChanges(world(parts)), planChanges(world(mixed))];
        expect(changesText(two)).toEqual(changesText(one));
        expect(stepsText(two)).toEqual(stepsText(one));
        expect(two.digest).toBe(one.digest);
      }),
    );
  });

  test('every desired object and every inventory entry gets exactly one change, and every write is in exactly one step', () => {
    fc.assert(
      fc.property(worlds, ({ parts }) => {
        const request = world(parts);
        const plan = planChanges(request);
        const expected = new Set([...request.desired.map((manifest) => manifest.key), ...request.inventory.keys()]);
        expect(plan.changes.map((change) => change.key).sort()).toEqual([...expected].sort());
        const planned = plan.changes.filter((change) => ['create', 'update', 'prune'].includes(change.action));
        expect(plan.steps.flatMap((step) => step.changes)).toEqual(planned);
      }),
    );
  });

  test('a dependency is written in an earlier step and waited for in between', () => {
    fc.assert(
      fc.property(worlds, ({ parts }) => {
        const { steps } = planChanges(world(parts));
        steps.forEach((step, index) => {
          const before = steps.slice(0, index);
          const later = new Set(steps.slice(index).flatMap((other) => other.changes.map((change) => change.key)));
          for (const change of step.changes) {
            if (change.action === 'prune') continue;
            for (const dependency of change.manifest.dependsOn) {
              expect(later.has(dependency)).toBe(false);
              expect(before.some((other) => other.waitHealthy.includes(dependency))).toBe(true);
            }
          }
        });
      }),
    );
  });

  test('only what is owned is pruned, and never what is desired', () => {
    fc.assert(
      fc.property(worlds, ({ parts }) => {
        const request = world(parts);
        const wanted = new Set(request.desired.map((manifest) => manifest.key));
        for (const change of planChanges(request).changes) {
          if (change.action !== 'prune') continue;
          expect(wanted.has(change.key)).toBe(false);
          expect(request.inventory.get(change.key)?.uid).toBe(change.uid);
          expect(request.policy.prune).toBe(true);
        }
      }),
    );
  });

  test('a circle of dependencies still gives a plan', () => {
    const circle = [desired('Job a/a', { dependsOn: ['Job a/b'] }), desired('Job a/b', { dependsOn: ['Job a/a'] })];
    expect(planChanges(world({ desired: circle })).changes).toHaveLength(2);
  });

  test('an unchanged application needs no step', () => {
    const texts = kinds.map((kind) => text({ kind, name: 'a' }));
    const plan = planChanges(
      world({
        desired: texts.map((item) => desired(item)),
        owned: texts.map((item) => owned(desired(item))),
        live: texts.map((item) => live(item)),
      }),
    );
    expect(plan.steps).toEqual([]);
  });
});
