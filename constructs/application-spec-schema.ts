// The schema of Application.spec: the one place where a field, its default and its limits are written. The status is in application-status-schema.ts.
import type { JsonSchema, ValidationRule } from './json-schema.ts';
import { syncDifferences } from './sync-differences-schema.ts';

const maximumNameLength = 253;

const dnsSubdomain: ValidationRule = {
  rule: "self.matches(r'^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
  message: "must be a name as Kubernetes writes it: lower-case letters, digits, '-' and '.', without '/' or ':'",
};

/** Short enough that no text the rule accepts overflows while it is parsed. */
const durationLength = 16;

const durationBetweenOneSecondAndOneDay: ValidationRule = {
  rule: "self.matches(r'^([0-9]{1,6}(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",
  message: 'must be a duration between 1s and 24h, such as 15s, 5m or 1h30m',
};

const source = {
  type: 'object',
  description: 'Where the manifests come from: one folder of one Git repository at one revision.',
  required: ['repoURL'],
  properties: {
    repoURL: {
      type: 'string',
      description:
        'Address of the Git repository, https:// or http://, e.g. https://git.example.com/team/manifests.git. Credentials belong into the Secret named by secretRef, never into the address.',
      minLength: 1,
      maxLength: 1024,
      'x-kubernetes-validations': [
        {
          rule: "self.matches(r'^https?://')",
          message: 'must start with https:// or http://; file:, git:, ssh: and user@host:path addresses are not accepted',
        },
        {
          rule: "!self.matches(r'^https?:/+[^/?#]*@')",
          message: 'must not hold a user name or password; put them into a Secret and name it in secretRef',
        },
        { rule: "!self.matches(r'^https?:') || self.matches(r'^https?://[^/?#]')", message: 'must name a host' },
        { rule: "!self.matches(r'[\\x00-\\x20\\x7f\\\\]')", message: 'must not hold spaces, control characters or backslashes' },
        { rule: "!self.matches(r'[?#]')", message: "must not hold a query ('?') or a fragment ('#')" },
      ],
    },
    ref: {
      type: 'string',
      description: "Branch, tag, full ref, commit id, or semver range over tags such as ^1.2. Default: the branch the remote's HEAD names.",
      minLength: 1,
      maxLength: 255,
      'x-kubernetes-validations': [
        { rule: "!self.startsWith('-')", message: "must not start with '-'" },
        { rule: "!self.contains('..')", message: "must not hold '..'" },
        { rule: "!self.matches(r'[\\x00-\\x20\\x7f]')", message: 'must not hold spaces or control characters' },
        {
          rule: "!self.matches(r'[\\\\:?\\[]|@\\{|//|^/|/$|\\.$|\\.lock$')",
          message:
            "must be a name that Git accepts: no '\\\\', ':', '?', '[', '@{' or '//', no '/' at either end, no '.' or '.lock' at the end",
        },
      ],
    },
    path: {
      type: 'string',
      description:
        "Folder of the app within the repository, '/' separated, relative to its root: a cdk8s app, or a folder of plain YAML or JSON. Default: .",
      default: '.',
      minLength: 1,
      maxLength: 1024,
      'x-kubernetes-validations': [
        { rule: "!self.startsWith('/')", message: "must be relative to the root of the repository: remove the leading '/'" },
        { rule: "!self.matches(r'(^|/)\\.\\.(/|$)')", message: "must stay inside the repository: '..' is not accepted" },
        {
          rule: "!self.matches(r'[\\x00-\\x1f\\x7f\\\\]')",
          message: "must not hold control characters or backslashes; separate folders by '/'",
        },
      ],
    },
    entry: {
      type: 'string',
      description: 'Entry file of the app, relative to path, e.g. main.ts. Default: what the app command in cdk8s.yaml runs.',
      minLength: 1,
      maxLength: 1024,
      'x-kubernetes-validations': [
        { rule: "!self.startsWith('/')", message: "must be relative to path: remove the leading '/'" },
        { rule: "!self.matches(r'(^|/)\\.\\.(/|$)')", message: "must stay inside path: '..' is not accepted" },
        {
          rule: "!self.matches(r'[\\x00-\\x1f\\x7f\\\\]')",
          message: "must not hold control characters or backslashes; separate folders by '/'",
        },
      ],
    },
    inputs: {
      type: 'object',
      description: "Any JSON object. The app reads it by: import { inputs } from '@setpoint/constructs'.",
      'x-kubernetes-preserve-unknown-fields': true,
    },
    interval: {
      type: 'string',
      description:
        'How often the repository is asked for a new commit: a duration between 1s and 24h. Jittered by a tenth; a webhook or the annotation setpoint.dev/reconcile-requested makes it immediate. Default: 15s.',
      default: '15s',
      maxLength: durationLength,
      'x-kubernetes-validations': [durationBetweenOneSecondAndOneDay],
    },
    secretRef: {
      type: 'object',
      description:
        "Secret in the Application's namespace with the credentials of the repository: username and password (basic), or token (bearer); ca.crt adds a private certificate authority (PEM). It is read as the ServiceAccount named by serviceAccountName, which needs get on it.",
      required: ['name'],
      properties: {
        name: {
          type: 'string',
          description: 'Name of the Secret.',
          minLength: 1,
          maxLength: maximumNameLength,
          'x-kubernetes-validations': [dnsSubdomain],
        },
      },
    },
    requireFastForward: {
      type: 'boolean',
      description: 'Refuse a commit that does not descend from the last one synced (a force push). Default: false.',
      default: false,
    },
  },
} as const satisfies JsonSchema;

const destination = {
  type: 'object',
  description: 'Where objects go.',
  properties: {
    namespace: {
      type: 'string',
      description: "Namespace of objects that name none. Default: the Application's namespace.",
      minLength: 1,
      maxLength: 63,
      'x-kubernetes-validations': [
        {
          rule: "self.matches(r'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
          message: "must be the name of a namespace: lower-case letters, digits and '-'",
        },
      ],
    },
  },
} as const satisfies JsonSchema;

const sync = {
  type: 'object',
  description: 'How the cluster is made to follow.',
  default: {},
  properties: {
    prune: { type: 'boolean', description: 'Delete objects that the commit no longer declares. Default: true.', default: true },
    selfHeal: {
      type: 'boolean',
      description:
        'Undo changes made to the live objects by others. When false they are reported and the Application is OutOfSync. Default: true.',
      default: true,
    },
    allowEmpty: {
      type: 'boolean',
      description: 'Let a commit that declares no object at all prune everything. Default: false.',
      default: false,
    },
    maxPrunePercent: {
      type: 'integer',
      format: 'int32',
      description:
        'A sync that would prune more than this share of more than ten objects is held back. 100 turns the guard off. Default: 50.',
      default: 50,
      minimum: 0,
      maximum: 100,
    },
    timeout: {
      type: 'string',
      description: 'How long one sync may take, waiting for health included: a duration between 1s and 24h. Default: 5m.',
      default: '5m',
      maxLength: durationLength,
      'x-kubernetes-validations': [durationBetweenOneSecondAndOneDay],
    },
    ...syncDifferences,
  },
} as const satisfies JsonSchema;

/** Schema of `Application.spec`. */
export const applicationSpecSchema = {
  type: 'object',
  description: 'What should run, from where, and how closely the cluster follows.',
  required: ['source'],
  properties: {
    source,
    destination,
    serviceAccountName: {
      type: 'string',
      description:
        "ServiceAccount of the Application's namespace that is impersonated for every write, and every read of values, of this Application's objects. Default: setpoint-applier.",
      default: 'setpoint-applier',
      minLength: 1,
      maxLength: maximumNameLength,
      'x-kubernetes-validations': [dnsSubdomain],
    },
    sync,
    deletionPolicy: {
      type: 'string',
      description:
        'What becomes of the objects when the Application is deleted: Delete removes them, Orphan leaves them running. Default: Delete.',
      enum: ['Delete', 'Orphan'],
      default: 'Delete',
    },
    suspend: {
      type: 'boolean',
      description: 'Neither sync, heal nor prune while true; drift is still shown. Default: false.',
      default: false,
    },
    historyLimit: {
      type: 'integer',
      format: 'int32',
      description: 'How many syncs status.history keeps. Default: 20.',
      default: 20,
      minimum: 0,
      maximum: 100,
    },
  },
} as const satisfies JsonSchema;
