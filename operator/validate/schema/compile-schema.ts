// Checks objects against the schemas of kinds with ajv. Schemas are compiled part by part, as objects get there: a large schema costs nothing until it is used.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { KindSchema } from '../ports.ts';
import type { Problem } from '../rule.ts';
import { createComponentNames } from './component-names.ts';
import { explainErrors, withoutBranches } from './explain-errors.ts';
import { compilePattern, formats } from './formats.ts';
import { type PartContext, partKeyword, styleOf, toJsonSchema } from './to-json-schema.ts';

/** Checks one object of a kind. */
export type SchemaCheck = (object: JsonObject) => readonly Problem[];

/** Compiled schemas by version. */
export interface SchemaCompiler {
  /** The check of a schema; what it needs is compiled when it is first asked about an object. With `isSecret` no value is ever shown. */
  check(schema: KindSchema, isSecret: boolean): SchemaCheck;
}

/** Checks a value at a path and adds what is wrong with it to `errors`. */
type PartCheck = (value: unknown, at: Parameters<ValidateFunction>[1]) => void;

/** Nodes of JSON Schema compiled for one kind; what an object has beyond is left to the server's dry run. A node takes about 0.2 ms and 50 kB. */
const maximumNodes = 5_000;
/** Kinds kept before everything is dropped: definitions that change with every commit would else fill the memory. */
const maximumKinds = 500;

/** A compiler that has compiled nothing yet. */
export function createSchemaCompiler(): SchemaCompiler {
  let compiler = createPartCompiler();
  const kinds = new Map<string, string>();
  const rootOf = (schema: KindSchema): string => {
    const known = kinds.get(schema.version);
    if (known !== undefined) return known;
    if (kinds.size >= maximumKinds) {
      kinds.clear();
      compiler = createPartCompiler();
    }
    const id = compiler.addKind(schema);
    kinds.set(schema.version, id);
    return id;
  };
  return {
    check: (schema, isSecret) => (object) => {
      const id = rootOf(schema);
      return explainErrors(compiler.errorsOf(id, object), object, isSecret);
    },
  };
}

interface Part {
  readonly schema: JsonObject;
  readonly context: PartContext;
  /** Nodes that may still be compiled for the kind that brought this part along. */
  readonly budget: { nodes: number };
  check?: PartCheck;
}

interface PartCompiler {
  /** The id of a kind's outermost part. */
  addKind(schema: KindSchema): string;
  /** Everything wrong with an object, in the order it was met. */
  errorsOf(id: string, object: JsonObject): readonly ErrorObject[];
}

function createPartCompiler(): PartCompiler {
  const names = createComponentNames();
  const parts = new Map<string, Part>();
  let errors: ErrorObject[] = [];
  const ajv = createAjv((id, value, at) => checkPart(id)(value, at));

  const addPart = (id: string, schema: JsonObject, context: PartContext, budget: Part['budget']): string => {
    if (!parts.has(id)) parts.set(id, { schema, context, budget });
    return id;
  };
  // A part is converted once, and so is each of those that stand in it.
  const freshId = (): string => `inline ${parts.size}`;
  const checkPart = (id: string): PartCheck => {
    const part = parts.get(id);
    if (part === undefined) return checkNothing;
    part.check ??= compilePart(part);
    return part.check;
  };
  const compilePart = (part: Part): PartCheck => {
    const validate = tryCompile(() => {
      const schema = toJsonSchema(part.schema, part.context);
      part.budget.nodes -= countNodes(schema, part.budget.nodes);
      return part.budget.nodes < 0 ? undefined : ajv.compile(schema);
    });
    if (validate === undefined) return checkNothing;
    return (value, at) => {
      if (!validate(value, at)) errors.push(...withoutBranches(validate.errors ?? []));
    };
  };
  return {
    addKind(kind) {
      const components = isJsonObject(kind.components['schemas']) ? kind.components['schemas'] : {};
      const name = Object.keys(components).find((candidate) => components[candidate] === kind.schema) ?? '';
      const budget = { nodes: maximumNodes };
      const partOf: PartContext['partOf'] = (schema, context, component) =>
        addPart(component === undefined ? freshId() : names.idOf(component, components), schema, context, budget);
      const root = withoutStatus(kind.schema);
      return addPart(freshId(), root, { style: styleOf(name, kind.schema), components, partOf }, budget);
    },
    errorsOf(id, object) {
      errors = [];
      checkPart(id)(object, undefined);
      return errors;
    },
  };
}

const checkNothing: PartCheck = () => undefined;

/** A schema that is none compiles to nothing: the definition that holds it is refused for that, by its own schema or by the server. */
function tryCompile(compile: () => ValidateFunction | undefined): ValidateFunction | undefined {
  try {
    return compile();
  } catch {
    return undefined;
  }
}

function createAjv(checkPart: (id: string, value: unknown, at: Parameters<ValidateFunction>[1]) => void): Ajv {
  const regExp = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    messages: false,
    logger: false,
    validateSchema: false,
    meta: false,
    $data: false,
    code: { regExp },
  });
  for (const [name, format] of Object.entries(formats)) {
    ajv.addFormat(
      name,
      format.type === 'number' ? { type: 'number', validate: format.validate } : { type: 'string', validate: format.validate },
    );
  }
  // Its errors are collected beside ajv's own, which would overwrite what they say about the value; parts never stand in a branch.
  const validate = (id: string, value: unknown, _: unknown, at?: Parameters<ValidateFunction>[1]): boolean => {
    checkPart(id, value, at);
    return true;
  };
  ajv.addKeyword({ keyword: partKeyword, schemaType: 'string', errors: false, validate });
  return ajv;
}

/** `status` is never the author's. */
function withoutStatus(schema: JsonObject): JsonObject {
  const { properties, required } = schema;
  if (!isJsonObject(properties)) return schema;
  const { status: _, ...declared } = properties;
  const needed = Array.isArray(required) ? { required: required.filter((name) => name !== 'status') } : {};
  return { ...schema, ...needed, properties: declared };
}

/** The objects and lists in a schema; counting ends soon after `enough`. */
function countNodes(schema: JsonObject, enough: number): number {
  let count = 0;
  const pending: JsonValue[] = [schema];
  for (let value = pending.pop(); value !== undefined && count <= enough; value = pending.pop()) {
    count += 1;
    for (const member of Object.values(value as JsonObject))
      if (typeof member === 'object' && member !== null) pending.push(member as JsonValue);
  }
  return count;
}
