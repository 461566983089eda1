// A terminal that remembers what was written, and Applications as the API server would return them.
import type { ApplicationObject } from '../../operator/cli/cluster-reader.ts';
import type { ExitCode, Terminal } from '../../operator/cli/terminal.ts';

/** What a command wrote and how it ended. */
export interface Recording {
  readonly terminal: Terminal;
  readonly exit: (code: ExitCode) => void;
  out: string;
  err: string;
  code: ExitCode | undefined;
}

/** A terminal without colours. */
export function recordTerminal(signal: AbortSignal = new AbortController().signal): Recording {
  const recording: Recording = {
    out: '',
    err: '',
    code: undefined,
    exit: (code) => {
      recording.code = code;
    },
    terminal: {
      out: (text) => {
        recording.out += text;
      },
      err: (text) => {
        recording.err += text;
      },
      paint: (_stream, _style, text) => text,
      interactive: false,
      signal,
    },
  };
  return recording;
}

/** The moment at which the statuses below are read. */
export const now = new Date('2026-11-23T12:00:00Z');

const good = 'a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4';
const bad = 'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef';
const counts = { create: 3, update: 1, unchanged: 0, prune: 0, skip: 0, conflict: 0 };
const none = { create: 0, update: 0, unchanged: 4, prune: 0, skip: 0, conflict: 0 };
const condition = { lastTransitionTime: '2026-11-23T11:57:00Z', observedGeneration: 1 };

/** A synced, healthy application. */
export const healthy: ApplicationObject = {
  apiVersion: 'setpoint.dev/v1alpha1',
  kind: 'Application',
  metadata: { namespace: 'shop', name: 'web', uid: 'u1', generation: 1, creationTimestamp: '2026-11-20T10:00:00Z' },
  spec: {
    source: { repoURL: 'https://git.example.com/team/manifests.git', path: 'apps/web', interval: '15s', requireFastForward: false },
    serviceAccountName: 'setpoint-applier',
    sync: { conflicts: 'Force', extraFields: 'Report', prune: true, selfHeal: true, allowEmpty: false, maxPrunePercent: 50, timeout: '5m' },
    deletionPolicy: 'Delete',
    suspend: false,
    historyLimit: 20,
  },
  status: {
    observedGeneration: 1,
    source: { revision: good, author: 'Ada', date: '2026-11-23T11:55:00.000Z', subject: 'web: four replicas', ref: 'refs/heads/main' },
    sync: { status: 'Synced', revision: good, finishedAt: '2026-11-23T11:56:00Z', counts },
    health: { status: 'Healthy' },
    resources: { total: 4 },
    conditions: [{ ...condition, type: 'Ready', status: 'True', reason: 'Synced', message: 'a1b2c3d4 is applied and healthy' }],
    drift: [
      {
        object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
        kind: 'changed',
        fields: ['.spec.replicas'],
        manager: 'kubectl-edit',
        operation: 'Update',
        time: '2026-11-23T11:58:30Z',
        healed: true,
      },
    ],
    history: [
      {
        revision: good,
        author: 'Ada',
        date: '2026-11-23T11:55:00Z',
        subject: 'web: four replicas',
        startedAt: '2026-11-23T11:55:59.400Z',
        finishedAt: '2026-11-23T11:56:00Z',
        initiatedBy: 'commit',
        result: 'Synced',
        counts,
      },
      {
        startedAt: '2026-11-23T11:00:00Z',
        finishedAt: '2026-11-23T11:00:00Z',
        initiatedBy: 'spec',
        result: 'Failed',
        message: 'the Git server could not be reached',
        counts: none,
      },
    ],
  },
};

/** The same application after a commit that was refused. */
export const refused: ApplicationObject = {
  ...healthy,
  status: {
    ...healthy.status,
    source: { revision: bad, author: 'Bob', date: '2026-11-23T11:59:00Z', subject: 'web: typo', ref: 'refs/heads/main' },
    sync: { status: 'OutOfSync', revision: good, finishedAt: '2026-11-23T11:56:00Z', counts },
    conditions: [
      { ...condition, type: 'Ready', status: 'False', reason: 'UnknownField', message: 'deadbeef is refused: 1 finding' },
      { ...condition, type: 'Stalled', status: 'True', reason: 'UnknownField', message: 'deadbeef is refused: 1 finding' },
      { ...condition, type: 'Synced', status: 'False', reason: 'UnknownField', message: 'deadbeef is refused: 1 finding' },
      { ...condition, type: 'Healthy', status: 'True', reason: 'Healthy', message: 'all objects are healthy' },
    ],
    findings: {
      total: 1,
      items: [
        {
          code: 'UnknownField',
          severity: 'error',
          message: 'unknown field "replica"',
          hint: 'did you mean "replicas"?',
          file: 'apps/web/main.ts',
          line: 12,
          column: 5,
          object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
          field: '.spec.replica',
        },
      ],
    },
    drift: [],
  },
};

/** An application the operator has not looked at. */
export const unseen: ApplicationObject = {
  apiVersion: healthy.apiVersion,
  kind: healthy.kind,
  metadata: { ...healthy.metadata, name: 'new' },
  spec: healthy.spec,
};
