// What the commands print of statuses, as text. Nothing here talks to a cluster.
import { describe, expect, test } from '@jest/globals';
import { absentObject } from '../../operator/cli/absent-object.ts';
import { formatApplication, summarize } from '../../operator/cli/application-text.ts';
import { applicationMissing } from '../../operator/cli/cluster-reader.ts';
import { parseDuration } from '../../operator/cli/duration.ts';
import { escapeControl, escapeLines } from '../../operator/cli/escape-control.ts';
import { eventColumns } from '../../operator/cli/events.ts';
import { formatFindingText, pathsFrom } from '../../operator/cli/finding-text.ts';
import { applicationColumns } from '../../operator/cli/get.ts';
import { historyColumns } from '../../operator/cli/history.ts';
import { parseObjectSelector, selects } from '../../operator/cli/object-selector.ts';
import { formatStructured } from '../../operator/cli/structured-output.ts';
import { formatAge, formatTable } from '../../operator/cli/table.ts';
import type { Terminal } from '../../operator/cli/terminal.ts';
import { formatMissed, formatRefused, isReached, isRefused } from '../../operator/cli/wait.ts';
import { explain, formatExplanation, formatUnowned } from '../../operator/cli/why.ts';
import { refused as refusal } from '../../operator/cluster/api-error.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { formatError } from '../../operator/model/error.ts';
import { healthy, now, recordTerminal, refused, unseen } from './recording.ts';

const plain: Terminal['paint'] = (_stream, _style, text) => text;

/** A text written indented in a test, without the indentation. */
function text(indented: string): string {
  const lines = indented.replace(/^\n/, '').replace(/ *$/, '').split('\n');
  const margin = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(margin)).join('\n');
}

describe('tables', () => {
  test('get lists applications as kubectl would', () => {
    expect(formatTable(applicationColumns({ output: 'table' }, now), [healthy, refused, unseen], plain)).toBe(
      text(`
        NAME   SYNC        HEALTH    REVISION   AGE
        web    Synced      Healthy   a1b2c3d4   3d2h
        web    OutOfSync   Healthy   a1b2c3d4   3d2h
        new    Unknown     Unknown   <none>     3d2h
      `),
    );
  });

  test('get -A -o wide adds the namespace, the author and the message', () => {
    expect(formatTable(applicationColumns({ output: 'wide', allNamespaces: true }, now), [refused], plain)).toBe(
      text(`
        NAMESPACE   NAME   SYNC        HEALTH    REVISION   AGE    AUTHOR   MESSAGE
        shop        web    OutOfSync   Healthy   a1b2c3d4   3d2h   Bob      deadbeef is refused: 1 finding
      `),
    );
  });

  test('history shows failures beside syncs', () => {
    expect(formatTable(historyColumns('table', now), healthy.status?.history ?? [], plain)).toBe(
      text(`
        REVISION   RESULT   TRIGGER   AUTHOR   AGE   CHANGES              SUBJECT
        a1b2c3d4   Synced   commit    Ada      4m    3 create, 1 update   web: four replicas
        <none>     Failed   spec      <none>   60m   no change
      `),
    );
  });

  test('history -o wide adds how long it took and the message', () => {
    const [, last = ''] = formatTable(historyColumns('wide', now), healthy.status?.history ?? [], plain)
      .trimEnd()
      .split('\n')
      .slice(1);
    expect(last).toBe(
      '<none>     Failed   spec      <none>   60m   no change            0ms                          the Git server could not be reached',
    );
  });

  test('events show how often and when they were last seen', () => {
    const event = {
      metadata: {},
      type: 'Warning',
      reason: 'DriftHealed',
      message: 'Deployment shop/web .spec.replicas',
      count: 3,
      lastTimestamp: '2026-11-23T11:59:15Z',
    };
    expect(formatTable(eventColumns(now), [event], plain)).toBe(
      text(`
        LAST SEEN   TYPE      REASON                 MESSAGE
        45s         Warning   DriftHealed            Deployment shop/web .spec.replicas (x3)
      `),
    );
  });

  test('colours do not move columns', () => {
    const painted = formatTable(
      applicationColumns({ output: 'table' }, now),
      [healthy, refused],
      (_stream, style, word) => `<${style}>${word}</>`,
    );
    expect(painted.replace(/<[^>]*>/g, '')).toBe(formatTable(applicationColumns({ output: 'table' }, now), [healthy, refused], plain));
    expect(painted).toContain('<red>OutOfSync</>');
  });
});

const pausedCondition = {
  ...{
    type: 'Ready' as const,
    status: 'False' as const,
    reason: 'Paused',
    message: 'Setpoint is paused by eve; to go on: setpoint unpause',
  },
  ...{ lastTransitionTime: '2026-11-23T11:57:00Z', observedGeneration: 1 },
};

describe('one application in words', () => {
  test.each([
    ['synced', healthy, 'Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). It is applied. All 4 objects are healthy. Nothing to do.'],
    [
      'refused',
      refused,
      'Git says deadbeef "web: typo" (Bob, 60s ago). It is refused; a1b2c3d4 stays applied. All 4 objects are healthy. Fix apps/web/main.ts:12:5 and commit.',
    ],
    ['never looked at', unseen, 'The operator has not looked at this application yet; if this lasts, check that the operator runs.'],
    [
      'suspended',
      { ...healthy, spec: { ...healthy.spec, suspend: true } },
      'Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). a1b2c3d4 is applied; the application is suspended. All 4 objects are healthy. To go on: set spec.suspend to false in shop/web.',
    ],
    [
      'suspended by a person',
      {
        ...healthy,
        metadata: { ...healthy.metadata, annotations: { 'setpoint.dev/suspended': '{"by":"ada","reason":"migration"}' } },
      },
      'Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). a1b2c3d4 is applied; the application is suspended. All 4 objects are healthy. To go on: setpoint resume web -n shop.',
    ],
    [
      'of a paused installation',
      { ...healthy, status: { ...healthy.status, conditions: [pausedCondition] } },
      'Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). a1b2c3d4 is applied; Setpoint is paused. All 4 objects are healthy. Setpoint is paused by eve; to go on: setpoint unpause.',
    ],
    [
      'degraded',
      {
        ...healthy,
        status: {
          ...healthy.status,
          health: {
            status: 'Degraded' as const,
            message: '0 of 3 replicas are available',
            object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
          },
          conditions: [
            {
              type: 'Reconciling' as const,
              status: 'True' as const,
              reason: 'Progressing',
              message: '',
              lastTransitionTime: '',
              observedGeneration: 1,
            },
          ],
        },
      },
      'Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). It is applied. It is Degraded because of Deployment shop/web: 0 of 3 replicas are available. The operator is at work.',
    ],
    [
      'spec changed since',
      { ...healthy, metadata: { ...healthy.metadata, generation: 2 } },
      'The spec has changed since; the operator has not acted on it yet. Git says a1b2c3d4 "web: four replicas" (Ada, 5m ago). It is applied. All 4 objects are healthy. Nothing to do.',
    ],
  ])('%s', (_state, application, sentence) => {
    expect(summarize(application, now)).toBe(sentence);
  });

  const withFinding = (finding: { readonly code: string; readonly message: string }) => ({
    ...refused,
    status: { ...refused.status, findings: { total: 2, items: [{ severity: 'error' as const, ...finding }] } },
  });
  const about = {
    message: 'x may not patch deployments.apps',
    object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  };

  test.each([
    [
      'the hint of a finding that has no line',
      { code: 'PathNotFound', message: 'the folder apps/wbe does not exist in the commit', hint: 'correct spec.source.path' },
      'Correct spec.source.path (and 1 more).',
    ],
    [
      'the message and the guess of a finding that has no line',
      { code: 'PathNotFound', message: 'the folder apps/wbe does not exist in the commit', hint: 'did you mean apps/web?' },
      'The folder apps/wbe does not exist in the commit (and 1 more): did you mean apps/web?',
    ],
    [
      'the message when there is neither line nor hint',
      { code: 'EntryNotFound', message: 'the entry file apps/web/app.ts, named by spec.source.entry, does not exist' },
      'The entry file apps/web/app.ts, named by spec.source.entry, does not exist (and 1 more): correct that.',
    ],
    [
      'the permission to grant, not the line that needs it',
      { ...about, code: 'NoPermission', hint: 'grant it with a Role', file: 'apps/web/main.ts', line: 12, column: 5 },
      'Grant ServiceAccount shop/setpoint-applier the permission for Deployment shop/web (and 1 more): grant it with a Role.',
    ],
    [
      'to create the ServiceAccount that does not exist',
      {
        code: 'NoPermission',
        message: 'ServiceAccount shop/nobody does not exist',
        hint: 'create ServiceAccount shop/nobody, or correct spec.serviceAccountName',
      },
      'Create ServiceAccount shop/nobody, or correct spec.serviceAccountName (and 1 more).',
    ],
  ])('the next step is %s', (_what, finding, step) => {
    const sentence = summarize(withFinding(finding), now);
    expect(sentence.slice(sentence.indexOf('healthy. ') + 'healthy. '.length)).toBe(step);
  });

  test('objects of another application: says whose they are and what to do', () => {
    const condition = { lastTransitionTime: '', observedGeneration: 1 };
    const message =
      'apply Deployment shop/web: it belongs to Application shop/other (and 2 more objects); declare it in one of the two only; the cluster stays at a1b2c3d4';
    const conditions = [
      { ...condition, type: 'Ready' as const, status: 'False' as const, reason: 'OwnershipConflict', message },
      { ...condition, type: 'Reconciling' as const, status: 'True' as const, reason: 'Retrying', message },
    ];
    expect(summarize({ ...healthy, status: { ...healthy.status, conditions } }, now)).toMatch(
      / healthy\. Deployment shop\/web: it belongs to Application shop\/other \(and 2 more objects\); declare it in one of the two only\.$/,
    );
  });

  const waiting = (reason: string, message: string, reconciling = 'Retrying') => {
    const condition = { lastTransitionTime: '', observedGeneration: 1 };
    const conditions = [
      { ...condition, type: 'Ready' as const, status: 'False' as const, reason, message },
      { ...condition, type: 'Reconciling' as const, status: 'True' as const, reason: reconciling, message },
    ];
    return { ...healthy, status: { ...healthy.status, conditions } };
  };

  test.each([
    ['RepositoryUnreachable', 'fetch https://git.example.com/team/manifests.git: connection refused', '; the cluster stays at a1b2c3d4'],
    ['SecretNotFound', 'read Secret shop/git: it does not exist; create it', '; nothing was applied'],
    ['PruneBlocked', 'delete Ingress shop/web: the finalizer example.com/hold keeps it', ''],
  ])('a failure that is tried again is told: %s', (reason, message, stays) => {
    const told = message.slice(0, 1).toUpperCase() + message.slice(1);
    expect(summarize(waiting(reason, message + stays), now)).toMatch(new RegExp(` healthy\\. ${told}\\. The operator tries again\\.$`));
  });

  test.each([
    [
      'says what it waits for',
      waiting('PruneBlocked', 'delete Ingress shop/web: the finalizer example.com/hold keeps it; the cluster stays at a1b2c3d4'),
      'It is being deleted since 90s: its objects are deleted first. It waits: delete Ingress shop/web: the finalizer example.com/hold keeps it.',
    ],
    ['says that its objects go first', healthy, 'It is being deleted since 90s: its objects are deleted first.'],
    [
      'says that its objects stay',
      { ...healthy, spec: { ...healthy.spec, deletionPolicy: 'Orphan' as const } },
      'It is being deleted since 90s: its objects stay.',
    ],
  ])('an application that is being deleted %s', (_what, application, sentence) => {
    const metadata = { ...application.metadata, generation: 2, deletionTimestamp: '2026-11-23T11:58:30Z' };
    expect(summarize({ ...application, metadata }, now)).toBe(sentence);
  });

  test('a commit that is applied while self-heal leaves what others changed is not told as not applied', () => {
    const condition = { lastTransitionTime: '', observedGeneration: 1 };
    const message = 'ConfigMap shop/web was deleted; self-heal is off';
    const conditions = [{ ...condition, type: 'Ready' as const, status: 'False' as const, reason: 'OutOfSync', message }];
    const { findings: _none, ...status } = refused.status ?? {};
    expect(summarize({ ...refused, status: { ...status, conditions } }, now)).toBe(
      'Git says deadbeef "web: typo" (Bob, 60s ago). It is applied, but for what others changed and self-heal leaves. All 4 objects are healthy. Not ready: ConfigMap shop/web was deleted; self-heal is off.',
    );
  });

  test.each([
    ['Paused', { ...healthy, status: { ...healthy.status, conditions: [pausedCondition] } }, 'Setpoint is paused by eve'],
    ['Suspended', { ...healthy, spec: { ...healthy.spec, suspend: true } }, 'by spec.suspend'],
  ])('get APP labels why it is left alone: %s', (label, application, why) => {
    expect(formatApplication(application, now, plain)).toMatch(new RegExp(`^${label}: +${why}`, 'm'));
  });

  test('fields of another manager: says whose they are and what to do', () => {
    const condition = { lastTransitionTime: '', observedGeneration: 1 };
    const message = 'apply Deployment shop/web: field manager conflict on .spec.replicas (helm); stop declaring the fields';
    const conditions = [
      { ...condition, type: 'Ready' as const, status: 'False' as const, reason: 'ApplyConflict', message },
      { ...condition, type: 'Reconciling' as const, status: 'True' as const, reason: 'Retrying', message },
    ];
    expect(summarize({ ...healthy, status: { ...healthy.status, conditions } }, now)).toMatch(
      / healthy\. Deployment shop\/web: field manager conflict on \.spec\.replicas \(helm\); stop declaring the fields\.$/,
    );
  });

  test('get APP shows fields that others added, and how many more there are', () => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    const fields = ['.metadata.annotations.note', '.metadata.labels.seen'];
    const items = [{ object, fields, manager: 'kubectl-annotate', operation: 'Update', time: '2026-11-20T10:00:00Z' }];
    const shown = formatApplication({ ...healthy, status: { ...healthy.status, extraFields: { total: 3, items } } }, now, plain);
    expect(shown).toMatch(
      /EXTRA FIELDS\nOBJECT +FIELDS +BY +AGE\nDeployment shop\/web +\.metadata\.annotations\.note, \.metadata\.labels\.seen +kubectl-annotate +\S+\n… and 2 more\n$/,
    );
  });

  test('get APP shows source, conditions, findings with their place, and drift', () => {
    expect(formatApplication({ ...refused, status: { ...refused.status, drift: healthy.status?.drift ?? [] } }, now, plain)).toBe(
      text(`
        shop/web
        Git says deadbeef "web: typo" (Bob, 60s ago). It is refused; a1b2c3d4 stays applied. All 4 objects are healthy. Fix apps/web/main.ts:12:5 and commit.

        Source:       https://git.example.com/team/manifests.git at refs/heads/main, folder apps/web, every 15s
        Destination:  shop
        Acts as:      ServiceAccount shop/setpoint-applier
        Applied:      a1b2c3d4, 4m ago (3 create, 1 update)
        Sync:         OutOfSync
        Health:       Healthy
        Objects:      4

        CONDITIONS
        TYPE      STATUS   REASON         AGE   MESSAGE
        Ready     False    UnknownField   3m    deadbeef is refused: 1 finding
        Stalled   True     UnknownField   3m    as Ready
        Synced    False    UnknownField   3m    as Ready
        Healthy   True     Healthy        3m    all objects are healthy

        FINDINGS
        apps/web/main.ts:12:5: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"
            hint: did you mean "replicas"?

        DRIFT
        OBJECT                FIELDS           BY             AGE   HEALED
        Deployment shop/web   .spec.replicas   kubectl-edit   90s   yes
      `),
    );
  });
});

describe('why', () => {
  const entry = {
    ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    uid: 'u2',
    digest: 'd',
    constructPath: 'shop/web',
    position: 'apps/web/main.ts:12:5 < apps/web/main.ts:20:1',
    revision: 'a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4',
  };

  test('names construct, position chain, commit, author and the last drift', () => {
    expect(formatExplanation(explain(entry, healthy), now, plain)).toBe(
      text(`
        Deployment shop/web
        Construct:    shop/web
        Source:       apps/web/main.ts:12:5 < apps/web/main.ts:20:1
        Commit:       a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4 web: four replicas
        Author:       Ada, 2026-11-23T11:55:00Z (5m ago)
        Application:  shop/web (Synced, Healthy)
        Repository:   https://git.example.com/team/manifests.git
        Last drift:   .spec.replicas by kubectl-edit (Update), 90s ago, healed
      `),
    );
  });

  test.each([
    ['a.yaml:3:1', 'none (plain YAML)'],
    ['', 'unknown'],
  ])('an object without a construct, made at %j', (position, construct) => {
    const explained = formatExplanation(explain({ ...entry, constructPath: '', position }, healthy), now, plain);
    expect(explained).toContain(`Construct:    ${construct}\n`);
  });

  test('says so when the commit has left the history', () => {
    const explained = formatExplanation(explain({ ...entry, revision: 'f'.repeat(40) }, healthy), now, plain);
    expect(explained).toContain('Author:       no longer in the history of the application\n');
  });

  test.each([
    ['Deployment/web', true],
    ['deploy/web', true],
    ['deployments.apps/web', true],
    ['deployments.extensions/web', false],
    ['StatefulSet/web', false],
    ['Deployment/api', false],
  ])('%s selects Deployment shop/web: %s', (typed, expected) => {
    expect(selects(parseObjectSelector(typed), 'shop', entry.ref)).toBe(expected);
  });

  test('an object of another namespace is not meant, a cluster-scoped one always is', () => {
    expect(selects(parseObjectSelector('deploy/web'), 'blog', entry.ref)).toBe(false);
    expect(selects(parseObjectSelector('ns/shop'), 'blog', { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'shop' })).toBe(
      true,
    );
    expect(
      selects(parseObjectSelector('networkpolicies/x'), 'a', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        namespace: 'a',
        name: 'x',
      }),
    ).toBe(true);
  });

  test('a selector without a name is refused with an example', () => {
    expect(() => parseObjectSelector('web')).toThrow('read "web" as an object: it is not KIND/NAME');
  });
});

describe('what is not there', () => {
  const selector = parseObjectSelector('deploy/web');
  const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs: new Set(['get']) };
  const served = [deployments, { ...deployments, apiVersion: 'v1', kind: 'Pod', plural: 'pods' }];

  /** A server that answers every read with one status code. */
  const answer = (status: number, asked: string[] = []) => {
    return async (path: string): Promise<unknown> => {
      asked.push(path);
      if (status === 200) return {};
      throw refusal({ doing: `read ${path}`, stage: 'cluster' }, status, '{}');
    };
  };

  test('an object of which the server says 404 does not exist', async () => {
    const asked: string[] = [];
    const absent = await absentObject(served, selector, 'shop', answer(404, asked));
    expect(asked).toEqual(['/apis/apps/v1/namespaces/shop/deployments/web']);
    expect(formatUnowned(selector, 'shop', absent)).toBe('there is no Deployment shop/web\n');
  });

  test.each([
    ['one that is there', 200],
    ['one that may not be read', 403],
  ])('%s belongs to no application', async (_what, status) => {
    const absent = await absentObject(served, selector, 'shop', answer(status));
    expect(formatUnowned(selector, 'shop', absent)).toBe('deployment/web in namespace shop belongs to no application\n');
  });

  test.each([
    ['Certificate/web', 'there is no kind certificate; write it in full, as in Deployment/web\n'],
    ['deployment.example.com/web', 'there is no kind deployment.example.com; write it in full, as in Deployment/web\n'],
  ])('a kind that the cluster does not serve: %s', async (typed, expected) => {
    const unserved = parseObjectSelector(typed);
    expect(formatUnowned(unserved, 'shop', await absentObject(served, unserved, 'shop', answer(404)))).toBe(expected);
  });

  test.each([
    [[], 'list them with: setpoint get -A'],
    [['shop'], 'there is one in namespace shop; add -n shop'],
    [['blog', 'shop'], 'there is one in namespaces blog, shop; add -n blog'],
  ])('an application that is in %j', (elsewhere, hint) => {
    expect(formatError(applicationMissing('default', 'web', elsewhere))).toBe(
      `read Application default/web: there is none of that name; ${hint}`,
    );
  });

  test('a kubeconfig: names the file and what to set', async () => {
    await expect(connectionFromKubeconfig('/nowhere/kubeconfig')).rejects.toMatchObject({
      message: 'read kubeconfig /nowhere/kubeconfig: there is no such file',
      hint: 'set KUBECONFIG or pass --kubeconfig',
    });
  });
});

describe('wait', () => {
  const synced = {
    ...healthy,
    status: {
      ...healthy.status,
      conditions: (['Synced', 'Healthy'] as const).map((type) => ({
        type,
        status: 'True' as const,
        reason: 'x',
        message: '',
        lastTransitionTime: '',
        observedGeneration: 1,
      })),
    },
  };

  test.each([
    ['any revision', synced, { target: 'healthy' as const }, true],
    ['the beginning of the revision', synced, { target: 'healthy' as const, revision: 'a1b2c3d' }, true],
    ['another revision', synced, { target: 'synced' as const, revision: 'deadbee' }, false],
    ['a status of the spec before', { ...synced, metadata: { ...synced.metadata, generation: 2 } }, { target: 'synced' as const }, false],
    ['a refused commit', refused, { target: 'synced' as const }, false],
    ['an application nobody looked at', unseen, { target: 'synced' as const }, false],
  ])('%s', (_name, application, goal, expected) => {
    expect(isReached(application, goal)).toBe(expected);
  });

  test('a revision that a later one replaced counts as applied', () => {
    const later = { ...synced, status: { ...synced.status, sync: { status: 'Synced' as const, revision: 'f'.repeat(40) } } };
    expect(isReached(later, { target: 'synced', revision: 'a1b2c3d4' })).toBe(true);
  });

  describe('a refused commit ends the wait', () => {
    const withFinding = (code: 'UnknownKind') => ({
      ...refused,
      status: { ...refused.status, findings: { total: 1, items: [{ code, severity: 'error' as const, message: 'x' }] } },
    });

    test.each([
      ['the commit that was named', refused, 'deadbee', true],
      ['the newest commit when none was named', refused, undefined, true],
      ['another commit than the one that was named: it may not have been seen yet', refused, 'cafecafe', false],
      ['a spec that the operator has not looked at', { ...refused, metadata: { ...refused.metadata, generation: 2 } }, undefined, false],
      ['a finding that may vanish by itself', withFinding('UnknownKind'), undefined, false],
      ['nothing but warnings', { ...refused, status: { ...refused.status, findings: { total: 0, items: [] } } }, undefined, false],
      ['a look that will be repeated', { ...refused, status: { ...refused.status, conditions: [] } }, undefined, false],
      ['an application that is well', synced, undefined, false],
      ['an application nobody looked at', unseen, undefined, false],
    ])('%s', (_name, application, revision, expected) => {
      expect(isRefused(application, { target: 'healthy', ...(revision === undefined ? {} : { revision }) })).toBe(expected);
    });

    test('and says which commit, what stays and the findings', () => {
      expect(formatRefused('shop', 'web', refused, plain)).toBe(
        text(`
          error: deadbeef is refused: shop/web stays at a1b2c3d4
          FINDINGS
          apps/web/main.ts:12:5: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"
              hint: did you mean "replicas"?
        `),
      );
    });
  });

  test('a commit that was never seen may not have been pushed', () => {
    const { terminal } = recordTerminal();
    const missed = (revision: string) =>
      formatMissed('shop', 'web', { target: 'healthy', revision }, refused, '5m', { terminal, now: () => now });
    expect(missed('cafecafe1')).toContain(
      'error: shop/web is not healthy at cafecafe after 5m\nCommit cafecafe1 has not been seen on refs/heads/main (newest: deadbeef); was it pushed? Git says ',
    );
    expect(missed('a1b2c3d')).not.toContain('has not been seen');
  });

  test('the report of a missed goal names failing conditions and findings only', () => {
    const { terminal } = recordTerminal();
    expect(formatMissed('shop', 'web', { target: 'healthy', revision: 'deadbeefdead' }, refused, '5m', { terminal, now: () => now })).toBe(
      text(`
        error: shop/web is not healthy at deadbeef after 5m
        Git says deadbeef "web: typo" (Bob, 60s ago). It is refused; a1b2c3d4 stays applied. All 4 objects are healthy. Fix apps/web/main.ts:12:5 and commit.
          Ready=False Stalled=True Synced=False UnknownField: deadbeef is refused: 1 finding
        FINDINGS
        apps/web/main.ts:12:5: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"
            hint: did you mean "replicas"?
      `),
    );
  });
});

describe('findings of render and validate', () => {
  test('print as a compiler would, with the code frame, the call chain and the hint', () => {
    const finding = {
      code: 'SynthFailed' as const,
      severity: 'error' as const,
      message: 'replicas must be positive',
      position: { file: 'apps/web/main.ts', line: 4, column: 9 },
      frames: [
        { file: 'apps/web/main.ts', line: 4, column: 9 },
        { file: 'lib/web.ts', line: 7, column: 1 },
      ],
      codeFrame: '3 | const n = -1;\n4 | throw new Error();\n  | ^\n',
      hint: 'use a positive number',
    };
    expect(formatFindingText(finding, pathsFrom('/home/ada/repo/apps', '/home/ada/repo'), plain, 'err')).toBe(
      text(`
        web/main.ts:4:9: error SynthFailed: replicas must be positive
            3 | const n = -1;
            4 | throw new Error();
              | ^
            called from ../lib/web.ts:7:1
            hint: use a positive number
      `),
    );
  });
});

describe('W19 control characters of cluster data never reach the terminal', () => {
  const hostile = 'web\u001b]0;owned\u0007\r\nnext\u009b31m\u202eevil';

  test('in tables, words and findings', async () => {
    const application = {
      ...refused,
      metadata: { ...refused.metadata, name: hostile },
      status: { ...refused.status, source: { revision: hostile, author: hostile, date: hostile, subject: hostile, ref: hostile } },
    };
    const finding = {
      code: 'SynthFailed' as const,
      severity: 'error' as const,
      message: hostile,
      hint: hostile,
      codeFrame: hostile,
      position: { file: hostile, line: 1, column: 1 },
    };
    const printed = [
      formatTable(applicationColumns({ output: 'wide' }, now), [application], plain),
      formatApplication(application, now, plain),
      formatMissed(hostile, hostile, { target: 'synced' }, application, '5m', { terminal: recordTerminal().terminal, now: () => now }),
      formatFindingText(finding, (file) => file, plain, 'err'),
      await formatStructured({ hostile }, 'json'),
    ].join('');
    expect(printed).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(formatTable([{ header: 'A', text: () => hostile }], [0], plain)).toBe('A\nweb\\x1b]0;owned\\x07\\r\\nnext\\x9b31m\\u202eevil\n');
  });

  test.each(['json', 'yaml'] as const)('in %s, which still reads back as the same value', async (format) => {
    const value = { text: hostile, block: 'a\tb\nc', list: ['\u007f', 'plain'] };
    const printed = await formatStructured(value, format);
    expect(printed).not.toMatch(/(?![\t\n])\p{Cc}/u);
    const { parse } = await import('yaml');
    expect(parse(printed)).toEqual(value);
  });

  test('line breaks stay only where several lines are meant', () => {
    expect(escapeControl('a\nb')).toBe('a\\nb');
    expect(escapeLines('a\nb\u001b[1m')).toBe('a\nb\\x1b[1m');
  });
});

describe('ages and durations', () => {
  test.each([
    ['2026-11-23T11:59:15Z', '45s'],
    ['2026-11-23T11:54:48Z', '5m12s'],
    ['2026-11-23T09:30:00Z', '150m'],
    ['2026-11-23T08:30:00Z', '3h30m'],
    ['2026-11-22T08:00:00Z', '28h'],
    ['2026-11-20T10:00:00Z', '3d2h'],
    ['2026-01-01T00:00:00Z', '326d'],
    ['2020-11-23T12:00:00Z', '6y1d'],
    ['2026-11-23T12:00:09Z', '0s'],
    ['yesterday', '<unknown>'],
    [undefined, '<unknown>'],
  ])('%s is %s ago', (from, expected) => {
    expect(formatAge(from, now)).toBe(expected);
  });

  test('durations are read as Kubernetes writes them', () => {
    expect([parseDuration('30s'), parseDuration('1h30m'), parseDuration('250ms')]).toEqual([30_000, 5_400_000, 250]);
    expect(() => parseDuration('soon')).toThrow('read "soon" as a duration');
  });
});
