// The schema of the fields of Application.spec.sync that decide about differences made by others. Syncing itself is in application-spec-schema.ts.
import type { JsonSchema } from './json-schema.ts';

const atomicList = { type: 'array', 'x-kubernetes-list-type': 'atomic' } as const;

/** Which objects an entry is about, as Argo CD selects them. */
const selector = {
  group: { type: 'string', description: "API group; '' is the core group, '*' stands for any text.", maxLength: 253 },
  kind: { type: 'string', description: "Kind; '*' stands for any text.", minLength: 1, maxLength: 63 },
  name: { type: 'string', description: 'Name of the object. Default: all.', minLength: 1, maxLength: 253 },
  namespace: { type: 'string', description: 'Namespace of the object. Default: all.', minLength: 1, maxLength: 63 },
} as const satisfies Readonly<Record<string, JsonSchema>>;

const managerNames = {
  ...atomicList,
  maxItems: 32,
  items: {
    type: 'string',
    minLength: 1,
    maxLength: 128,
    'x-kubernetes-validations': [{ rule: "self != 'setpoint'", message: 'must be another field manager than Setpoint itself' }],
  },
} as const satisfies JsonSchema;

const ignoreDifferences = {
  ...atomicList,
  description:
    'Fields that others decide: the live value is kept, is no drift, and is not taken over. An object that does not exist yet is created with what Git declares.',
  maxItems: 32,
  items: {
    type: 'object',
    required: ['kind'],
    properties: {
      ...selector,
      group: { ...selector.group, description: `${selector.group.description} Default: the core group.`, default: '' },
      jsonPointers: {
        ...atomicList,
        description:
          'Paths by RFC 6901, such as /spec/replicas; ~1 stands for a slash. A number names an item of the list as Git declares it.',
        maxItems: 32,
        items: {
          type: 'string',
          minLength: 1,
          maxLength: 512,
          'x-kubernetes-validations': [
            { rule: "self.startsWith('/')", message: "must start with '/', such as /spec/replicas" },
            { rule: "!self.matches(r'~([^01]|$)')", message: "must not hold '~' but in ~0 (for ~) and ~1 (for /)" },
            {
              rule: "!self.matches(r'^/(apiVersion|kind|metadata|metadata/name|metadata/namespace)?$')",
              message: 'must lead to something else than what names the object',
            },
          ],
        },
      },
      managers: { ...managerNames, description: 'Field managers; every field that one of them owns is ignored.' },
    },
    'x-kubernetes-validations': [
      {
        rule: '(has(self.jsonPointers) && size(self.jsonPointers) > 0) || (has(self.managers) && size(self.managers) > 0)',
        message: 'must name jsonPointers or managers',
      },
    ],
  },
} as const satisfies JsonSchema;

const strip = {
  ...atomicList,
  description:
    'Fields that others add and that are taken away again, by who added them or by path. Additions inside a map or list that Git declares empty are taken away in any case.',
  maxItems: 32,
  items: {
    type: 'object',
    properties: {
      ...selector,
      group: { ...selector.group, description: `${selector.group.description} Default: all.` },
      kind: { ...selector.kind, description: `${selector.kind.description} Default: all.` },
      managers: { ...managerNames, description: 'Field managers whose additions are removed, finalizers and owner references aside.' },
      paths: {
        ...atomicList,
        description: 'Paths as status.extraFields shows them, such as .metadata.annotations.note; what is below is meant too.',
        maxItems: 32,
        items: {
          type: 'string',
          minLength: 2,
          maxLength: 512,
          'x-kubernetes-validations': [
            {
              rule: "self.matches(r'^[.][A-Za-z]')",
              message: 'must be a path as status.extraFields shows it, such as .metadata.annotations.note',
            },
          ],
        },
      },
    },
    'x-kubernetes-validations': [
      {
        rule: '(has(self.managers) && size(self.managers) > 0) || (has(self.paths) && size(self.paths) > 0)',
        message: 'must name managers or paths',
      },
    ],
  },
} as const satisfies JsonSchema;

const extraFields = {
  type: 'string',
  description:
    'Whether fields that others add to our objects are listed in status.extraFields. They are left alone either way. Default: Report.',
  enum: ['Report', 'Ignore'],
  default: 'Report',
} as const satisfies JsonSchema;

const conflicts = {
  type: 'string',
  description:
    'What becomes of a declared field that another field manager holds with another value: Force takes it over and tells from whom, Fail leaves the whole object as it is and tells who holds what. Default: Force.',
  enum: ['Force', 'Fail'],
  default: 'Force',
} as const satisfies JsonSchema;

/** Members of `Application.spec.sync`. */
export const syncDifferences = { conflicts, extraFields, strip, ignoreDifferences } as const satisfies Readonly<Record<string, JsonSchema>>;
