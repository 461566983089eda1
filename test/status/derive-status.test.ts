// Outcome and previous status → status, as a table of what a user reads.
import { describe, expect, test } from '@jest/globals';
import { applicationStatusSchema } from '../../constructs/application-status-schema.ts';
import type { ApplicationStatus } from '../../operator/model/application.ts';
import { OperatorError } from '../../operator/model/error.ts';
import type { Finding } from '../../operator/model/finding.ts';
import type { Drift, ExtraFields } from '../../operator/model/observed.ts';
import type { Outcome } from '../../operator/model/outcome.ts';
import type { ActionCounts } from '../../operator/model/plan.ts';
import type { Revision } from '../../operator/model/revision.ts';
import { deriveStatus } from '../../operator/status/derive-status.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const noCounts: ActionCounts = { create: 0, update: 0, unchanged: 0, prune: 0, skip: 0, conflict: 0 };

function commit(letter: string, extra: Partial<Revision> = {}): Revision {
  const people = { author: 'Ada', authorEmail: 'ada@example.com', committer: 'Ada' };
  return { sha: letter.repeat(40), ...people, date: '2026-01-02T03:04:05Z', subject: `change ${letter}`, parents: [], ...extra };
}

function look(extra: Partial<Outcome> = {}): Outcome {
  return {
    observedGeneration: 1,
    startedAt: new Date('2026-01-02T03:04:06.000Z'),
    finishedAt: new Date('2026-01-02T03:04:07.500Z'),
    initiatedBy: 'commit',
    revision: commit('a'),
    ref: 'refs/heads/main',
    result: { kind: 'synced', changed: true },
    counts: { ...noCounts, create: 3 },
    findings: [],
    drift: [],
    health: { state: 'Healthy', message: '' },
    owned: 3,
    ...extra,
  };
}

function statusAfter(outcomes: readonly Outcome[], limit = 20): ApplicationStatus {
  let status: ApplicationStatus | undefined;
  for (const outcome of outcomes) status = deriveStatus(outcome, status, limit);
  if (status === undefined) throw new Error('no outcome given');
  return status;
}

/** `Ready=True Synced | Stalled=…`: what a person sees of the conditions that say something. */
function readConditions(status: ApplicationStatus): string[] {
  return (status.conditions ?? []).map((condition) => `${condition.type}=${condition.status} ${condition.reason}: ${condition.message}`);
}

function failure(
  code: 'FetchFailed' | 'RefNotFound' | 'ApplyRefused',
  stage: 'source' | 'apply',
  fate: 'terminal' | 'transient',
): Outcome['result'] {
  return { kind: 'failed', error: new OperatorError('fetch the thing', { code, stage, fate, hint: 'look at it' }), objects: [] };
}

test.each([
  [1, 'fetch the thing; look at it; nothing was applied'],
  [2, 'fetch the thing; look at it (and 1 more object); nothing was applied'],
  [3, 'fetch the thing; look at it (and 2 more objects); nothing was applied'],
])('a failure of %i objects', (total, message) => {
  const result = failure('ApplyRefused', 'apply', 'terminal');
  if (result.kind !== 'failed') throw new Error('no failure');
  const objects = Array.from({ length: total }, () => ({ ref: web, error: result.error }));
  const { conditions } = statusAfter([look({ result: { ...result, objects }, counts: noCounts })]);
  expect(conditions?.find(({ type }) => type === 'Ready')?.message).toBe(message);
});

const typo: Finding = {
  code: 'UnknownField',
  severity: 'error',
  message: 'unknown field "replica"',
  hint: 'did you mean "replicas"?',
  position: { file: 'apps/web.ts', line: 4, column: 3 },
  object: web,
  field: '.spec.replica',
};

describe('conditions', () => {
  test.each<[string, readonly Outcome[], readonly string[]]>([
    [
      'applied and healthy is Ready',
      [look()],
      [
        'Ready=True Synced: 3 objects equal commit aaaaaaaa',
        'Reconciling=False NotApplicable: ',
        'Stalled=False NotApplicable: ',
        'Synced=True Synced: 3 objects equal commit aaaaaaaa',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
    [
      'applied and not yet healthy is Reconciling',
      [
        look({
          result: { kind: 'progressing', message: 'waiting' },
          health: { state: 'Progressing', message: '1 of 3 ready', decidedBy: web },
        }),
      ],
      [
        'Ready=False Progressing: 3 objects equal commit aaaaaaaa; Deployment shop/web: 1 of 3 ready',
        'Reconciling=True Progressing: Deployment shop/web: 1 of 3 ready',
        'Stalled=False NotApplicable: ',
        'Synced=True Synced: 3 objects equal commit aaaaaaaa',
        'Healthy=False Progressing: Deployment shop/web: 1 of 3 ready',
      ],
    ],
    [
      'applied and degraded is neither ready nor moving',
      [look({ health: { state: 'Degraded', message: 'crash loop', decidedBy: web } })],
      [
        'Ready=False Degraded: 3 objects equal commit aaaaaaaa; Deployment shop/web: crash loop',
        'Reconciling=False NotApplicable: ',
        'Stalled=False NotApplicable: ',
        'Synced=True Synced: 3 objects equal commit aaaaaaaa',
        'Healthy=False Degraded: Deployment shop/web: crash loop',
      ],
    ],
    [
      'a refused commit names the line, how many more, and where the cluster stays',
      [
        look(),
        look({ revision: commit('b'), result: { kind: 'rejected', findings: [typo, typo] }, counts: noCounts, findings: [typo, typo] }),
      ],
      [
        'Ready=False UnknownField: commit bbbbbbbb is refused: apps/web.ts:4:3: Deployment shop/web .spec.replica: unknown field "replica"; did you mean "replicas"? (and 1 more in status.findings); the cluster stays at aaaaaaaa',
        'Reconciling=False NotApplicable: ',
        'Stalled=True UnknownField: commit bbbbbbbb is refused: apps/web.ts:4:3: Deployment shop/web .spec.replica: unknown field "replica"; did you mean "replicas"? (and 1 more in status.findings); the cluster stays at aaaaaaaa',
        'Synced=False UnknownField: commit bbbbbbbb is refused: apps/web.ts:4:3: Deployment shop/web .spec.replica: unknown field "replica"; did you mean "replicas"? (and 1 more in status.findings); the cluster stays at aaaaaaaa',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
    [
      'G5 a transfer that broke is tried again and says nothing about the cluster',
      [look(), look({ result: failure('FetchFailed', 'source', 'transient'), counts: noCounts })],
      [
        'Ready=False FetchFailed: fetch the thing; look at it; the cluster stays at aaaaaaaa',
        'Reconciling=True Retrying: fetch the thing; look at it; the cluster stays at aaaaaaaa',
        'Stalled=False NotApplicable: ',
        'Synced=Unknown FetchFailed: fetch the thing; look at it; the cluster stays at aaaaaaaa',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
    [
      'G3 a missing branch of a new Application is Stalled and nothing is claimed about health',
      [
        look({
          revision: undefined as never,
          result: failure('RefNotFound', 'source', 'terminal'),
          counts: noCounts,
          owned: 0,
          health: { state: 'Unknown', message: 'nothing was applied yet' },
        }),
      ],
      [
        'Ready=False RefNotFound: fetch the thing; look at it; nothing was applied',
        'Reconciling=False NotApplicable: ',
        'Stalled=True RefNotFound: fetch the thing; look at it; nothing was applied',
        'Synced=Unknown RefNotFound: fetch the thing; look at it; nothing was applied',
        'Healthy=Unknown Unknown: nothing was applied yet',
      ],
    ],
    [
      'a suspended Application is not Ready',
      [look({ result: { kind: 'suspended', cause: 'annotation', message: 'suspended by ada' }, counts: noCounts })],
      [
        'Ready=False Suspended: suspended by ada',
        'Reconciling=False NotApplicable: ',
        'Stalled=False NotApplicable: ',
        'Synced=Unknown Suspended: suspended by ada',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
    [
      'an Application of a paused installation is not Ready, and says that everything is paused',
      [look({ result: { kind: 'suspended', cause: 'pause', message: 'Setpoint is paused' }, counts: noCounts })],
      [
        'Ready=False Paused: Setpoint is paused',
        'Reconciling=False NotApplicable: ',
        'Stalled=False NotApplicable: ',
        'Synced=Unknown Paused: Setpoint is paused',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
    [
      'a difference that is left alone is OutOfSync',
      [look({ result: { kind: 'out-of-sync', message: 'Deployment shop/web differs; self-heal is off' }, counts: noCounts })],
      [
        'Ready=False OutOfSync: Deployment shop/web differs; self-heal is off',
        'Reconciling=False NotApplicable: ',
        'Stalled=False NotApplicable: ',
        'Synced=False OutOfSync: Deployment shop/web differs; self-heal is off',
        'Healthy=True Healthy: all objects are healthy',
      ],
    ],
  ])('%s', (_, outcomes, expected) => {
    expect(readConditions(statusAfter(outcomes))).toEqual(expected);
  });

  test('the time of a transition stays while the status stays', () => {
    const status = statusAfter([look(), look({ revision: commit('b'), finishedAt: new Date('2027-01-01T00:00:00.000Z') })]);
    expect(status.conditions?.map((condition) => condition.lastTransitionTime)).toEqual(Array(5).fill('2026-01-02T03:04:07Z'));
  });
});

describe('looks that find nothing new', () => {
  const quiet = look({
    result: { kind: 'synced', changed: false },
    counts: { ...noCounts, unchanged: 3 },
    finishedAt: new Date('2026-02-01T00:00:00.000Z'),
  });

  test('leave the status as it was, to the byte', () => {
    const once = statusAfter([look()]);
    expect(deriveStatus(quiet, once, 20)).toEqual(once);
  });

  test('a failure that repeats itself leaves the status as it was', () => {
    const broken = look({ result: failure('FetchFailed', 'source', 'transient'), counts: noCounts });
    const once = statusAfter([look(), broken]);
    expect(deriveStatus({ ...broken, finishedAt: new Date('2026-02-01T00:00:00.000Z') }, once, 20)).toEqual(once);
  });
});

describe('history', () => {
  function readHistory(status: ApplicationStatus): string[] {
    return (status.history ?? []).map(
      ({ revision, result, initiatedBy, counts }) =>
        `${revision?.slice(0, 1) ?? '-'} ${result} by ${initiatedBy} +${counts.create} ~${counts.update} -${counts.prune}`,
    );
  }

  test.each<[string, readonly Outcome[], readonly string[]]>([
    [
      'a sync, a refusal and a failure are all there, newest first',
      [
        look(),
        look({ revision: commit('b'), result: { kind: 'rejected', findings: [typo] }, counts: noCounts }),
        look({ revision: commit('c'), result: failure('ApplyRefused', 'apply', 'transient'), counts: { ...noCounts, update: 1 } }),
      ],
      ['c Failed by commit +0 ~1 -0', 'b Rejected by commit +0 ~0 -0', 'a Synced by commit +3 ~0 -0'],
    ],
    [
      'a prune is there',
      [look(), look({ revision: commit('b'), counts: { ...noCounts, prune: 2 } })],
      ['b Synced by commit +0 ~0 -2', 'a Synced by commit +3 ~0 -0'],
    ],
    [
      'a sync that waited for health is one entry',
      [look({ result: { kind: 'progressing', message: '' } }), look({ result: { kind: 'synced', changed: false }, counts: noCounts })],
      ['a Synced by commit +3 ~0 -0'],
    ],
    [
      'heals of one commit in a row are one entry that counts them',
      [
        look(),
        look({ initiatedBy: 'drift', counts: { ...noCounts, update: 1 } }),
        look({ initiatedBy: 'drift', counts: { ...noCounts, update: 1 } }),
      ],
      ['a Synced by drift +0 ~2 -0', 'a Synced by commit +3 ~0 -0'],
    ],
    [
      'the same commit synced again after a failure is there again',
      [
        look(),
        look({ result: failure('FetchFailed', 'source', 'transient'), counts: noCounts }),
        look({ result: { kind: 'synced', changed: false }, counts: noCounts }),
      ],
      ['a Synced by commit +0 ~0 -0', 'a Failed by commit +0 ~0 -0', 'a Synced by commit +3 ~0 -0'],
    ],
  ])('%s', (_, outcomes, expected) => {
    expect(readHistory(statusAfter(outcomes))).toEqual(expected);
  });

  test('a sync that waited for health keeps what it found unchanged', () => {
    const counts = { ...noCounts, update: 1, unchanged: 3, skip: 1 };
    const waits = look({ result: { kind: 'progressing', message: '' }, counts });
    const settled = look({ result: { kind: 'synced', changed: true }, counts: noCounts });
    expect(statusAfter([waits, settled]).history?.map((entry) => entry.counts)).toEqual([counts]);
  });

  test('holds no more than historyLimit, and none when that is 0', () => {
    const outcomes = ['a', 'b', 'c', 'd'].map((letter) => look({ revision: commit(letter) }));
    expect(readHistory(statusAfter(outcomes, 2))).toHaveLength(2);
    expect(statusAfter(outcomes, 0).history).toBeUndefined();
  });
});

describe('source and sync', () => {
  test('a refused commit is the newest seen, and the synced one is still the last good one', () => {
    const status = statusAfter([
      look(),
      look({ revision: commit('b'), result: { kind: 'rejected', findings: [typo] }, counts: noCounts, findings: [typo] }),
    ]);
    expect(status.source).toEqual({
      revision: commit('b').sha,
      author: 'Ada',
      date: '2026-01-02T03:04:05Z',
      subject: 'change b',
      ref: 'refs/heads/main',
    });
    expect(status.sync).toMatchObject({ status: 'OutOfSync', revision: commit('a').sha, finishedAt: '2026-01-02T03:04:07.500Z' });
    expect(status.findings).toMatchObject({
      total: 1,
      items: [{ code: 'UnknownField', file: 'apps/web.ts', line: 4, column: 3, field: '.spec.replica' }],
    });
  });

  test('findings go when the commit that had them is mended', () => {
    const bad = look({ result: { kind: 'rejected', findings: [typo] }, counts: noCounts, findings: [typo] });
    expect(statusAfter([bad, look({ revision: commit('b') })]).findings).toBeUndefined();
  });

  test('errors come before warnings and only the first 20 are listed', () => {
    const warning: Finding = { ...typo, severity: 'warning' };
    const findings = [...Array<Finding>(30).fill(warning), typo];
    const status = statusAfter([look({ findings })]);
    expect(status.findings?.total).toBe(31);
    expect(status.findings?.items.map(({ severity }) => severity)).toEqual(['error', ...Array(19).fill('warning')]);
  });

  test('the annotation that was answered is remembered', () => {
    expect(statusAfter([look({ handledRequest: 'now-1' }), look()]).lastHandledReconcileAt).toBe('now-1');
  });
});

describe('drift', () => {
  const drift: Drift = {
    ref: web,
    fields: ['.spec.replicas'],
    kind: 'changed',
    manager: 'kubectl',
    operation: 'Update',
    time: '2026-01-02T03:04:05Z',
    healed: true,
  };

  test('the last 20 are listed, newest first', () => {
    const outcomes = Array.from({ length: 25 }, (_, index) => look({ drift: [{ ...drift, manager: `person-${index}` }] }));
    const managers = statusAfter(outcomes).drift?.map(({ manager }) => manager);
    expect(managers).toHaveLength(20);
    expect(managers?.slice(0, 2)).toEqual(['person-24', 'person-23']);
  });

  test('a drift that is left alone is one entry however often it is seen', () => {
    const seen = look({ drift: [{ ...drift, healed: false }] });
    expect(statusAfter([seen, seen, seen]).drift).toHaveLength(1);
    expect(statusAfter([seen, look({ drift: [drift] })]).drift).toMatchObject([{ healed: true }]);
  });

  const unhealed = (extra: Partial<Drift> = {}): Outcome =>
    look({ result: { kind: 'out-of-sync', message: 'differs' }, drift: [{ ...drift, healed: false, ...extra }] });

  test.each<[string, readonly Partial<Drift>[], string]>([
    ['that is still there keeps the time it was told first', [{ time: 'first' }, { time: 'later' }, { time: 'last' }], 'first'],
    ['of other fields is dated anew', [{ time: 'first' }, { time: 'later', fields: ['.spec.paused'] }], 'later'],
    ['by somebody else is dated anew', [{ time: 'first' }, { time: 'later', manager: 'helm' }], 'later'],
  ])('a drift %s', (_, seen, time) => {
    expect(statusAfter(seen.map(unhealed)).drift?.map((entry) => entry.time)).toEqual([time]);
  });

  const other = { ...web, name: 'other' };
  test.each<[string, Outcome, boolean]>([
    ['a later apply wrote over it', look(), true],
    ['it was taken back', look({ result: { kind: 'synced', changed: false }, counts: noCounts }), true],
    ['another object is all that differs now', unhealed({ ref: other }), true],
    ['health alone was looked at while it differs', look({ result: { kind: 'out-of-sync', message: 'differs' } }), false],
    ['the next commit is refused', look({ result: { kind: 'rejected', findings: [typo] } }), false],
    ['the next sync fails', look({ result: failure('ApplyRefused', 'apply', 'terminal') }), false],
  ])('whether a drift without self-heal counts as undone once %s', (_, next, healed) => {
    const entry = statusAfter([unhealed(), next]).drift?.find(({ object }) => object.name === 'web');
    expect(entry?.healed).toBe(healed);
  });
});

test('fields of others are listed while they are there, the first 20 entries with their number', () => {
  const extra = { ref: web, fields: ['.metadata.labels.note'], manager: 'kubectl-label', operation: 'Update' };
  const many = look({ extraFields: Array.from({ length: 25 }, (_, index) => ({ ...extra, manager: `person-${index}` })) });
  expect(statusAfter([many]).extraFields).toMatchObject({ total: 25, items: { length: 20 } });
  expect(statusAfter([look({ extraFields: [extra] })]).extraFields?.items).toMatchObject([
    { fields: ['.metadata.labels.note'], manager: 'kubectl-label' },
  ]);
  expect(statusAfter([many, look()]).extraFields).toBeUndefined();
});

describe('size', () => {
  test('the longest texts everywhere stay far below what the API server stores and within the schema', () => {
    const long = '🙂'.repeat(100_000);
    const finding: Finding = {
      ...typo,
      message: long,
      hint: long,
      constructPath: long,
      field: long,
      position: { file: long, line: 1, column: 1 },
    };
    const revision = commit('a', { author: long, subject: long });
    const drift: Drift = {
      ref: web,
      fields: Array(1_000).fill(long) as string[],
      kind: 'changed',
      manager: long,
      operation: long,
      time: '2026-01-02T03:04:05Z',
      healed: true,
    };
    const outcome = look({
      revision,
      ref: long,
      initiatedBy: long,
      result: { kind: 'rejected', findings: Array(50).fill(finding) as Finding[] },
      findings: Array(50).fill(finding) as Finding[],
      drift: Array(50).fill(drift) as Drift[],
      extraFields: Array(50).fill({ ...drift, time: '2026-01-02T03:04:05Z' }) as ExtraFields[],
      health: { state: 'Degraded', message: long, decidedBy: web },
    });
    const outcomes = Array.from({ length: 100 }, (_, index) => ({
      ...outcome,
      revision: { ...revision, sha: index.toString(16).padStart(40, '0') },
    }));
    const status = statusAfter(outcomes, 100);
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(1_000_000);
    expect(tooLong(status, applicationStatusSchema, 'status')).toEqual([]);
  });
});

interface SizedSchema {
  readonly type: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly properties?: { readonly [name: string]: SizedSchema };
  readonly items?: SizedSchema;
}

/** Paths of values that are longer than the schema permits. */
function tooLong(value: unknown, schema: SizedSchema, at: string): string[] {
  if (typeof value === 'string') return value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY) ? [at] : [];
  if (Array.isArray(value)) {
    const own = value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY) ? [at] : [];
    return [...own, ...value.flatMap((item) => (schema.items === undefined ? [] : tooLong(item, schema.items, `${at}[]`)))];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const property = schema.properties?.[name];
    return property === undefined ? [`${at}.${name} is not in the schema`] : tooLong(member, property, `${at}.${name}`);
  });
}

describe('objects that were there before, and objects that stay', () => {
  const adopted = look({ adopted: [{ ref: web, from: ['helm', 'somebody'] }] });

  test('what was taken over stays told until something else is; history tells it with the sync that did it', () => {
    const status = statusAfter([adopted, look({ result: { kind: 'synced', changed: false }, counts: noCounts })]);
    expect(status.adopted).toEqual({
      total: 1,
      time: '2026-01-02T03:04:07.500Z',
      revision: 'a'.repeat(40),
      items: [{ object: web, managers: ['helm', 'somebody'] }],
    });
    expect(status.history?.map((entry) => entry.adopted)).toEqual([
      '1 object that existed already: Deployment shop/web; taken over from helm, somebody',
    ]);
  });

  test('a sync that waits for health keeps telling it when it ends', () => {
    const waiting = { ...adopted, result: { kind: 'progressing', message: 'waits' } } as const;
    const status = statusAfter([waiting, look({ result: { kind: 'synced', changed: true }, counts: noCounts })]);
    expect(status.history?.map((entry) => [entry.result, entry.adopted])).toEqual([
      ['Synced', '1 object that existed already: Deployment shop/web; taken over from helm, somebody'],
    ]);
  });

  test('standing warnings are findings, do not keep it from being Ready, and end with their cause', () => {
    const notice: Finding = { code: 'Protected', severity: 'warning', message: 'left Git and stays', object: web };
    const status = statusAfter([look({ notices: [notice] })]);
    expect(status.findings).toMatchObject({ total: 1, items: [{ code: 'Protected', object: web }] });
    expect(status.resources).toEqual({ total: 3, protected: 1 });
    expect(readConditions(status)[0]).toBe('Ready=True Synced: 3 objects equal commit aaaaaaaa');
    const after = statusAfter([look({ notices: [notice] }), look()]);
    expect([after.findings, after.resources]).toEqual([undefined, { total: 3 }]);
  });
});
