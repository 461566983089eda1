// Compiles the schemas of kinds with ajv, each once, and shares the components that several kinds refer to. What errors mean is explain-errors.ts's matter.
import { Ajv, type ValidateFunction } from 'ajv';
import { isJsonObject, type JsonObject } from '../../model/json.ts';
import type { KindSchema } from '../ports.ts';
import type { Problem } from '../rule.ts';
import { createComponentNames } from './component-names.ts';
import { explainErrors } from './explain-errors.ts';
import { compilePattern, formats } from './formats.ts';
import { styleOf, toJsonSchema } from './to-json-schema.ts';

/** Checks one object of a kind. */
export type SchemaCheck = (object: JsonObject) => readonly Problem[];

/** Compiled schemas by version. */
export interface SchemaCompiler {
  /** The check of a schema, compiled when it is first asked about an object. With `isSecret` no value is ever shown. */
  check(schema: KindSchema, isSecret: boolean): SchemaCheck;
}

/** Larger schemas are not compiled; the server's dry run judges their objects. */
const maximumNodes = 60_000;
/** Versions kept before all are dropped: CRDs that change with every commit would else fill the memory. */
const maximumVersions = 500;

/** A compiler that has compiled nothing yet. */
export function createSchemaCompiler(): SchemaCompiler {
  let compileKind = createKindCompiler();
  const compiled = new Map<string, ValidateFunction | undefined>();
  const validatorOf = (schema: KindSchema): ValidateFunction | undefined => {
    if (compiled.has(schema.version)) return compiled.get(schema.version);
    if (compiled.size >= maximumVersions) {
      compiled.clear();
      compileKind = createKindCompiler();
    }
    const validate = countNodes(schema.schema) > maximumNodes ? undefined : tryCompile(() => compileKind(schema));
    compiled.set(schema.version, validate);
    return validate;
  };
  return {
    check: (schema, isSecret) => (object) => {
      const validate = validatorOf(schema);
      if (validate === undefined || validate(object) === true) return [];
      return explainErrors(validate.errors ?? [], object, isSecret);
    },
  };
}

/** A schema that is none compiles to nothing: the definition that holds it is refused for that, by its own schema or by the server. */
function tryCompile(compile: () => ValidateFunction): ValidateFunction | undefined {
  try {
    return compile();
  } catch {
    return undefined;
  }
}

function createKindCompiler(): (kind: KindSchema) => ValidateFunction {
  const ajv = createAjv();
  const names = createComponentNames();
  const added = new Set<string>();
  return (kind) => {
    const components = isJsonObject(kind.components['schemas']) ? kind.components['schemas'] : {};
    const root = withoutStatus(kind.schema);
    const idOf = (component: string): string => names.idOf(component, components);
    for (const name of names.reachable(root, components)) {
      const id = idOf(name);
      const schema = components[name];
      if (added.has(id) || !isJsonObject(schema)) continue;
      added.add(id);
      ajv.addSchema(toJsonSchema(schema, styleOf(name, schema), idOf), id);
    }
    const name = Object.keys(components).find((candidate) => components[candidate] === kind.schema) ?? '';
    return ajv.compile(toJsonSchema(root, styleOf(name, root), idOf));
  };
}

function createAjv(): Ajv {
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
  return ajv;
}

/** `status` is never the author's; without it half of the components need not be compiled. */
function withoutStatus(schema: JsonObject): JsonObject {
  const { properties, required } = schema;
  if (!isJsonObject(properties)) return schema;
  const { status: _, ...declared } = properties;
  const needed = Array.isArray(required) ? { required: required.filter((name) => name !== 'status') } : {};
  return { ...schema, ...needed, properties: declared };
}

function countNodes(root: unknown): number {
  let count = 0;
  const pending: unknown[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    count += 1;
    if (count > maximumNodes) return count;
    for (const member of Object.values(value)) if (typeof member === 'object') pending.push(member);
  }
  return count;
}
