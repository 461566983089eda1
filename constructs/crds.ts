// The CustomResourceDefinitions of Setpoint as plain objects. Field schemas are in application-spec-schema.ts and application-status-schema.ts.
import { apiGroup, apiVersion } from './annotations.ts';
import { applicationSpecSchema } from './application-spec-schema.ts';
import { applicationStatusSchema } from './application-status-schema.ts';
import type { JsonObject, JsonSchema } from './json-schema.ts';

const version = apiVersion.slice(apiGroup.length + 1);

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer';
  readonly jsonPath: string;
  readonly description?: string;
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority?: 0 | 1;
}

interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly columns: readonly PrinterColumn[];
  readonly hasStatus: boolean;
  readonly schema: JsonSchema;
}

const typeMeta = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } } as const;

/** The CustomResourceDefinition of `Application`. */
export function applicationCrd(): JsonObject {
  return definitionOf({
    kind: 'Application',
    plural: 'applications',
    shortNames: ['app'],
    columns: [
      { name: 'Sync', type: 'string', jsonPath: '.status.sync.status' },
      { name: 'Health', type: 'string', jsonPath: '.status.health.status' },
      { name: 'Revision', type: 'string', jsonPath: '.status.sync.revision' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
      { name: 'Author', type: 'string', jsonPath: '.status.source.author', priority: 1 },
    ],
    hasStatus: true,
    schema: {
      type: 'object',
      description: 'One folder of one Git repository that this cluster is kept equal to.',
      required: ['spec'],
      properties: { ...typeMeta, spec: applicationSpecSchema, status: applicationStatusSchema },
    },
  });
}

/** The CustomResourceDefinition of `Inventory`: what an Application owns, in chunks. Written by the operator, owned by its Application. */
export function inventoryCrd(): JsonObject {
  return definitionOf({
    kind: 'Inventory',
    plural: 'inventories',
    shortNames: [],
    columns: [
      { name: 'Chunk', type: 'integer', jsonPath: '.chunk.index' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
    hasStatus: false,
    schema: {
      type: 'object',
      description: 'What one Application owns, or a part of it. Written by the operator alone.',
      properties: {
        ...typeMeta,
        schemaVersion: {
          type: 'integer',
          format: 'int32',
          minimum: 1,
          description: 'Version of the form of entries; an operator refuses a higher one than it knows.',
        },
        chunk: {
          type: 'object',
          description: 'Which part this is.',
          properties: {
            index: { type: 'integer', format: 'int32', minimum: 0, description: 'Counted from 0.' },
            of: { type: 'integer', format: 'int32', minimum: 0, description: 'How many parts there are.' },
          },
        },
        digest: { type: 'string', description: 'Of the entries: tells when somebody edited them.' },
        entries: {
          type: 'array',
          description: 'One entry per owned object: a JSON text that names it, its UID, what was last applied and where it comes from.',
          'x-kubernetes-list-type': 'atomic',
          items: { type: 'string' },
        },
      },
    },
  });
}

function definitionOf(definition: Definition): JsonObject {
  const { kind, plural } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}`, labels: { 'app.kubernetes.io/name': 'setpoint', 'app.kubernetes.io/part-of': 'setpoint' } },
    spec: {
      group: apiGroup,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: definition.shortNames.length === 0 ? undefined : definition.shortNames,
        categories: ['setpoint'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: definition.hasStatus ? { status: {} } : undefined,
          additionalPrinterColumns: definition.columns.map((column) => ({ ...column })),
          schema: { openAPIV3Schema: definition.schema },
        },
      ],
    },
  };
}
