// The schema of Application.status. Written by the operator alone; the spec is in application-spec-schema.ts.
import type { JsonSchema } from './json-schema.ts';

const time = { type: 'string', format: 'date-time' } as const;
const count = { type: 'integer', format: 'int32', minimum: 0 } as const;
const revisionText = { type: 'string', description: 'Full commit id in lower-case hex.', maxLength: 64 } as const;
const author = { type: 'string', description: 'Who wrote the commit.', maxLength: 256 } as const;
const subject = { type: 'string', description: 'First line of the commit message.', maxLength: 256 } as const;

const objectRef = {
  type: 'object',
  description: 'The object concerned.',
  required: ['apiVersion', 'kind', 'name'],
  properties: {
    apiVersion: { type: 'string', description: 'Group and version, e.g. apps/v1.', maxLength: 320 },
    kind: { type: 'string', description: 'Kind, e.g. Deployment.', maxLength: 63 },
    namespace: { type: 'string', description: 'Absent for cluster-scoped objects.', maxLength: 63 },
    name: { type: 'string', description: 'Name of the object.', maxLength: 253 },
  },
} as const satisfies JsonSchema;

const counts = {
  type: 'object',
  description: 'Objects per action.',
  required: ['create', 'update', 'unchanged', 'prune', 'skip', 'conflict'],
  properties: {
    create: { ...count, description: 'Created.' },
    update: { ...count, description: 'Changed, adopted ones included.' },
    unchanged: { ...count, description: 'Left as they were, being as Git declares them.' },
    prune: { ...count, description: 'Deleted, because they left Git.' },
    skip: { ...count, description: 'Left as they are, although they differ or left Git: protected, say.' },
    conflict: { ...count, description: 'Not written, because another Application or field manager has them.' },
  },
} as const satisfies JsonSchema;

const conditions = {
  type: 'array',
  description: 'Ready, Reconciling and Stalled by the rules of kstatus; Synced and Healthy tell the two halves of Ready apart.',
  maxItems: 8,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime', 'observedGeneration'],
    properties: {
      type: { type: 'string', description: 'What it is about.', enum: ['Ready', 'Reconciling', 'Stalled', 'Synced', 'Healthy'] },
      status: { type: 'string', description: 'Whether it is so.', enum: ['True', 'False', 'Unknown'] },
      reason: { type: 'string', description: 'One word for programs: a code of docs/errors.md when something failed.', maxLength: 1024 },
      message: { type: 'string', description: 'One sentence for people: what, where, and what to do next.', maxLength: 32768 },
      lastTransitionTime: { ...time, description: 'When status last changed.' },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0, description: 'The metadata.generation this is about.' },
    },
  },
} as const satisfies JsonSchema;

const source = {
  type: 'object',
  description: 'The newest commit seen.',
  required: ['revision', 'author', 'date', 'subject', 'ref'],
  properties: {
    revision: revisionText,
    author,
    date: { ...time, description: 'When the author wrote it.' },
    subject,
    ref: { type: 'string', description: 'What spec.source.ref resolved to, e.g. refs/heads/main.', maxLength: 1024 },
  },
} as const satisfies JsonSchema;

const sync = {
  type: 'object',
  description: 'Whether the cluster is as Git says.',
  required: ['status'],
  properties: {
    status: {
      type: 'string',
      description:
        'Synced: the cluster equals the commit. OutOfSync: it differs, or the commit is refused. Unknown: it could not be compared.',
      enum: ['Synced', 'OutOfSync', 'Unknown'],
    },
    revision: { ...revisionText, description: 'The commit last synced in full.' },
    finishedAt: { ...time, description: 'When that sync ended.' },
    counts,
  },
} as const satisfies JsonSchema;

const health = {
  type: 'object',
  description: 'Health of the objects together: that of the worst.',
  required: ['status'],
  properties: {
    status: {
      type: 'string',
      description: 'The worst of all objects.',
      enum: ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'],
    },
    message: { type: 'string', description: 'Why, in words.', maxLength: 4096 },
    object: { ...objectRef, description: 'The object that decides.' },
  },
} as const satisfies JsonSchema;

const findings = {
  type: 'object',
  description: 'What the author of the manifests should change.',
  required: ['total', 'items'],
  properties: {
    total: { ...count, description: 'How many there are; items holds the first 20.' },
    items: {
      type: 'array',
      description: 'The first 20, errors first.',
      maxItems: 20,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['code', 'severity', 'message'],
        properties: {
          code: { type: 'string', description: 'A code of docs/errors.md.', maxLength: 64 },
          severity: { type: 'string', description: 'An error refuses the commit, a warning does not.', enum: ['error', 'warning'] },
          message: { type: 'string', description: 'What is wrong.', maxLength: 4096 },
          hint: { type: 'string', description: 'What to do next.', maxLength: 4096 },
          file: { type: 'string', description: 'File of the repository.', maxLength: 1024 },
          line: { ...count, description: 'Counted from 1.' },
          column: { ...count, description: 'Counted from 1.' },
          constructPath: { type: 'string', description: 'Path of the construct that made the object.', maxLength: 1024 },
          object: objectRef,
          field: { type: 'string', description: 'Path within the object, e.g. .spec.replicas.', maxLength: 1024 },
        },
      },
    },
  },
} as const satisfies JsonSchema;

const drift = {
  type: 'array',
  description: 'The last 20 changes that others made to our objects, newest first.',
  maxItems: 20,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    required: ['object', 'kind', 'fields', 'manager', 'operation', 'time', 'healed'],
    properties: {
      object: objectRef,
      kind: {
        type: 'string',
        description: 'changed: declared fields have other values; deleted: the object is gone; added: fields that Git does not allow.',
        enum: ['changed', 'deleted', 'added'],
      },
      fields: {
        type: 'array',
        description: 'Paths such as .spec.replicas; empty when the object was deleted.',
        maxItems: 50,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 1024 },
      },
      manager: { type: 'string', description: 'Field manager that did it, or unknown.', maxLength: 256 },
      operation: { type: 'string', description: 'How it was done: Update, Apply or Delete, or unknown.', maxLength: 64 },
      time: { ...time, description: 'When it happened, as far as known.' },
      healed: { type: 'boolean', description: 'Whether it was undone.' },
    },
  },
} as const satisfies JsonSchema;

const extraFields = {
  type: 'object',
  description: 'Fields that others added to our objects and that are left alone.',
  required: ['total', 'items'],
  properties: {
    total: { ...count, description: 'How many entries there are; items holds the first 20.' },
    items: {
      type: 'array',
      description: 'The first 20.',
      maxItems: 20,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['object', 'fields', 'manager', 'operation'],
        properties: {
          object: objectRef,
          fields: {
            type: 'array',
            description: 'Paths such as .metadata.annotations.note.',
            maxItems: 50,
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'string', maxLength: 1024 },
          },
          manager: { type: 'string', description: 'Field manager that holds them.', maxLength: 256 },
          operation: { type: 'string', description: 'How they were written: Update or Apply.', maxLength: 64 },
          time: { ...time, description: 'When it last wrote, as far as known.' },
        },
      },
    },
  },
} as const satisfies JsonSchema;

const history = {
  type: 'array',
  description: 'Syncs, failures included, newest first, as many as spec.historyLimit.',
  maxItems: 100,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    required: ['startedAt', 'finishedAt', 'initiatedBy', 'result', 'counts'],
    properties: {
      revision: revisionText,
      author,
      date: { ...time, description: 'When the author wrote the commit.' },
      subject,
      startedAt: { ...time, description: 'When it began.' },
      finishedAt: { ...time, description: 'When it ended.' },
      initiatedBy: {
        type: 'string',
        description: 'commit, drift, spec, request (by annotation), or resume (after a suspension or pause).',
        maxLength: 256,
      },
      result: { type: 'string', description: 'What came of it.', enum: ['Synced', 'OutOfSync', 'Rejected', 'Failed', 'Progressing'] },
      message: { type: 'string', description: 'What went wrong, or what it waited for.', maxLength: 4096 },
      adopted: { type: 'string', description: 'Objects that existed already and were taken over, and from whom.', maxLength: 4096 },
      counts,
    },
  },
} as const satisfies JsonSchema;

const adopted = {
  type: 'object',
  description: 'The objects that existed already when a sync took them over, as of the last sync that did.',
  required: ['total', 'time', 'items'],
  properties: {
    total: { ...count, description: 'How many there were; items holds the first 20.' },
    time: { ...time, description: 'When that was.' },
    revision: { ...revisionText, description: 'The commit that declares them.' },
    items: {
      type: 'array',
      description: 'The first 20.',
      maxItems: 20,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['object', 'managers'],
        properties: {
          object: objectRef,
          managers: {
            type: 'array',
            description: 'Field managers that had it before.',
            maxItems: 20,
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'string', maxLength: 256 },
          },
        },
      },
    },
  },
} as const satisfies JsonSchema;

/** Schema of `Application.status`. */
export const applicationStatusSchema = {
  type: 'object',
  description: 'What the operator found and did. Written by the operator alone.',
  properties: {
    conditions,
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0, description: 'The metadata.generation that was acted on.' },
    lastHandledReconcileAt: {
      type: 'string',
      description: 'The value of the annotation setpoint.dev/reconcile-requested that was last handled.',
      maxLength: 256,
    },
    source,
    sync,
    health,
    resources: {
      type: 'object',
      description: 'Objects this Application owns.',
      required: ['total'],
      properties: {
        total: { ...count, description: 'How many there are, those that left Git and are not deleted yet included.' },
        protected: { ...count, description: 'Of these, objects that left Git and stay because they are protected.' },
      },
    },
    findings,
    drift,
    adopted,
    extraFields,
    history,
  },
} as const satisfies JsonSchema;
