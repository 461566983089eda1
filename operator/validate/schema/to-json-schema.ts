// Turns OpenAPI v3 schemas as Kubernetes publishes them into JSON Schema (draft 7). What JSON Schema cannot say is left to the server's dry run.
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** A JSON Schema under construction. */
type Draft = Record<string, JsonValue>;

/**
 * How a schema came about. `declared`: written in a CustomResourceDefinition; the server prunes what it does not name, so every object in it is
 * closed. `generated`: from Go types; an object without properties is free-form.
 */
export type SchemaStyle = 'declared' | 'generated';

const prefix = '#/components/schemas/';
const kept = [
  'required',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minimum',
  'maximum',
];
/** Formats whose meaning here is the server's. All others are not checked. */
const numberFormats: ReadonlySet<JsonValue | undefined> = new Set(['int32', 'int64']);
const generatedFormats: ReadonlySet<JsonValue | undefined> = new Set(['int32', 'int64', 'byte', 'date-time']);

/** Keyword of ours: the server leaves the member out when it is null. */
export const dropsNull = 'x-drops-null';

const objectMetadata = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Whether a component is generated from Go types. Declared ones refer to nothing but the metadata of objects. */
export function styleOf(name: string, schema: JsonObject): SchemaStyle {
  if (/^io\.k8s\.(api|apimachinery|apiextensions-apiserver|kube-aggregator|metrics)\./.test(name)) return 'generated';
  return [...referencesIn(schema)].every((reference) => reference === objectMetadata) ? 'declared' : 'generated';
}

/** The names of the components a schema refers to. */
export function referencesIn(value: JsonValue | undefined, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) referencesIn(item, found);
  else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key === '$ref' && typeof member === 'string') found.add(componentName(member));
      else referencesIn(member, found);
    }
  }
  return found;
}

/** Keyword of ours: the value is checked against another part of the schema, which is compiled when a value first gets there. */
export const partKeyword = 'x-part';

/** How one part of a schema is converted. */
export interface PartContext {
  readonly style: SchemaStyle;
  /** Components that references lead to. */
  readonly components: JsonObject;
  /** The id of another part. */
  readonly partOf: (schema: JsonObject, context: PartContext, name?: string) => string;
}

/**
 * The JSON Schema of one part of an OpenAPI schema: down to the next objects with properties of their own, which are parts again. So what
 * is compiled grows with the objects that are checked, not with the schema.
 */
export function toJsonSchema(schema: JsonObject, context: PartContext): JsonObject {
  const outermost = { ...context, closes: true };
  return tryFindReference(schema) === undefined ? convert(schema, outermost) : (convertAny(schema, outermost) as JsonObject);
}

interface Context extends PartContext {
  /** False inside allOf, anyOf, oneOf and not, which restrict fields that are named elsewhere and never hold parts. */
  readonly closes: boolean;
}

function convert(schema: JsonObject, context: Context): Draft {
  if (schema['format'] === 'int-or-string') return { type: ['integer', 'string'], [dropsNull]: true };
  if (isQuantity(schema)) return { type: ['string', 'number'], format: 'quantity', [dropsNull]: true };
  const draft: Draft = {};
  if (context.style === 'generated' || (schema['default'] !== undefined && schema['nullable'] !== true)) draft[dropsNull] = true;
  for (const keyword of kept) if (schema[keyword] !== undefined) draft[keyword] = schema[keyword] as JsonValue;
  addType(draft, schema);
  addBounds(draft, schema);
  const formats = context.style === 'generated' ? generatedFormats : numberFormats;
  if (formats.has(schema['format'])) draft['format'] = schema['format'] as string;
  addMembers(draft, schema, context);
  addJunctors(draft, schema, context);
  return draft;
}

/** A subschema: what it refers to and objects with properties become parts, all else stands where it is. */
function convertAny(value: JsonValue | undefined, context: Context): JsonValue {
  if (!isJsonObject(value)) return {};
  const reference = tryFindReference(value);
  if (reference !== undefined) {
    const component = context.components[reference];
    if (!isJsonObject(component) || !context.closes) return {};
    return { [partKeyword]: context.partOf(component, { ...context, style: styleOf(reference, component) }, reference) };
  }
  if (context.closes && isJsonObject(value['properties'])) return { [partKeyword]: context.partOf(value, context) };
  return convert(value, context);
}

function addType(draft: Draft, schema: JsonObject): void {
  const type = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema['type'];
  if (type === undefined || type === null) return;
  draft['type'] = schema['nullable'] === true ? [...(Array.isArray(type) ? type : [type]), 'null'] : type;
  if (schema['nullable'] === true && Array.isArray(draft['enum'])) draft['enum'] = [...draft['enum'], null];
}

/** OpenAPI 3.0 writes exclusive bounds as booleans beside the bound. */
function addBounds(draft: Draft, schema: JsonObject): void {
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (schema[exclusive] !== true || draft[bound] === undefined) continue;
    draft[exclusive] = draft[bound];
    delete draft[bound];
  }
}

function addMembers(draft: Draft, schema: JsonObject, context: Context): void {
  const { properties, items, additionalProperties } = schema;
  if (isJsonObject(properties)) {
    draft['properties'] = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, convertAny(member, context)]));
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    draft['required'] = [...new Set(['apiVersion', 'kind', ...(Array.isArray(draft['required']) ? draft['required'] : [])])];
    draft['properties'] = {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(draft['properties'] as Draft | undefined),
    };
  }
  if (items !== undefined) draft['items'] = convertAny(items, context);
  if (isJsonObject(additionalProperties)) draft['additionalProperties'] = convertAny(additionalProperties, context);
  else if (additionalProperties === false || isClosed(draft, schema, context)) draft['additionalProperties'] = false;
}

/** Whether fields that are not named are unknown, although the schema does not say so. */
function isClosed(draft: Draft, schema: JsonObject, context: Context): boolean {
  if (!context.closes || schema['additionalProperties'] !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true)
    return false;
  return draft['properties'] !== undefined || (context.style === 'declared' && schema['type'] === 'object');
}

function addJunctors(draft: Draft, schema: JsonObject, context: Context): void {
  const inner = { ...context, closes: false };
  for (const junctor of ['allOf', 'anyOf', 'oneOf']) {
    const branches = schema[junctor];
    if (!Array.isArray(branches) || branches.length === 0) continue;
    if (junctor === 'anyOf' && schema['x-kubernetes-int-or-string'] === true) continue;
    draft[junctor] = (branches as readonly JsonValue[]).map((branch) => convertAny(branch, inner));
  }
  if (isJsonObject(schema['not'])) draft['not'] = convert(schema['not'], inner);
}

/** Generated schemas wrap each reference, to put a default and a description beside it. */
function tryFindReference(schema: JsonObject): string | undefined {
  if (typeof schema['$ref'] === 'string') return componentName(schema['$ref']);
  const { allOf } = schema;
  if (!Array.isArray(allOf) || allOf.length !== 1) return undefined;
  const [only] = allOf as readonly JsonValue[];
  return isJsonObject(only) && typeof only['$ref'] === 'string' ? componentName(only['$ref']) : undefined;
}

function componentName(reference: string): string {
  return reference.startsWith(prefix) ? decodeURIComponent(reference.slice(prefix.length)) : reference;
}

function isQuantity(schema: JsonObject): boolean {
  const { oneOf } = schema;
  if (schema['properties'] !== undefined || !Array.isArray(oneOf) || oneOf.length !== 2) return false;
  const types = (oneOf as readonly JsonValue[]).map((branch) =>
    isJsonObject(branch) && Object.keys(branch).length === 1 ? branch['type'] : undefined,
  );
  return types.includes('string') && types.includes('number');
}
