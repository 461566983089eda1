// Turns ajv's errors into problems with a path, what was expected and what stands there. Values of Secrets are never shown.
import type { DefinedError, ErrorObject } from 'ajv';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { tryFindClosestName } from '../closest-name.ts';
import { memberPath, pathOfPointer } from '../json-path.ts';
import type { Problem } from '../rule.ts';
import { formatWords } from './formats.ts';
import { dropsNull } from './to-json-schema.ts';

const maximumProblems = 50;
const maximumListed = 15;

/** The problems behind the errors of one object, by field; one per field and kind of problem. */
export function explainErrors(errors: readonly ErrorObject[], object: JsonObject, isSecret: boolean): readonly Problem[] {
  const told = new Map<string, Problem>();
  for (const error of errors) {
    if (isDroppedNull(error)) continue;
    const problem = explain(error as DefinedError, object, isSecret);
    const key = `${problem.code} ${problem.field}`;
    if (!told.has(key)) told.set(key, problem);
    if (told.size >= maximumProblems) break;
  }
  return [...told.values()].sort((left, right) => ((left.field ?? '') < (right.field ?? '') ? -1 : 1));
}

/** The errors of one compiled schema without those of the branches of an anyOf, oneOf or not that failed as a whole. */
export function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const junctors = errors.filter((error) => ['anyOf', 'oneOf', 'not'].includes(error.keyword));
  return errors.filter((error) => !junctors.some((junctor) => junctor !== error && error.schemaPath.startsWith(`${junctor.schemaPath}/`)));
}

/** The server leaves out a member that is null where the kind comes from Go types or the field has a default; items of lists must not be null. */
function isDroppedNull(error: ErrorObject): boolean {
  return error.data === null && error.parentSchema?.[dropsNull] === true && !/\/\d+$/.test(error.instancePath);
}

function explain(error: DefinedError, object: JsonObject, isSecret: boolean): Problem {
  const path = pathOfPointer(error.instancePath, object);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(error.params.additionalProperty, path, error.parentSchema);
    case 'required':
      return {
        code: 'MissingField',
        message: `required field "${error.params.missingProperty}" is missing`,
        field: memberPath(path, error.params.missingProperty),
      };
    default: {
      const { expected, hint } = expectation(error);
      const got = describeValue(error.data as JsonValue, isSecret);
      return { code: 'InvalidValue', message: `expected ${expected}, got ${got}`, field: path, ...(hint === undefined ? {} : { hint }) };
    }
  }
}

function unknownField(name: string, path: string, parent: JsonObject | undefined): Problem {
  const known = isJsonObject(parent?.['properties']) ? Object.keys(parent['properties']) : [];
  const closest = tryFindClosestName(name, known);
  const listed = known.length <= maximumListed ? known.toSorted().join(', ') : '';
  const hint = closest !== undefined ? `did you mean "${closest}"?` : listed === '' ? undefined : `known here: ${listed}`;
  return {
    code: 'UnknownField',
    message: `unknown field "${name}"`,
    field: memberPath(path, name),
    ...(hint === undefined ? {} : { hint }),
  };
}

interface Expectation {
  readonly expected: string;
  readonly hint?: string;
}

function expectation(error: DefinedError): Expectation {
  switch (error.keyword) {
    case 'type':
      return withTypeHint([error.params.type].flat(), error.data);
    case 'enum': {
      const allowed: readonly unknown[] = error.params.allowedValues;
      const closest =
        typeof error.data === 'string'
          ? tryFindClosestName(
              error.data,
              allowed.filter((value) => typeof value === 'string'),
            )
          : undefined;
      const expected = `one of ${allowed
        .filter((value) => value !== null)
        .map((value) => JSON.stringify(value))
        .join(', ')}`;
      return closest === undefined ? { expected } : { expected, hint: `did you mean "${closest}"?` };
    }
    case 'format':
      return { expected: formatWords[error.params.format] ?? error.params.format };
    case 'pattern':
      return { expected: `text that matches ${error.params.pattern}` };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return { expected: `a number ${error.params.comparison} ${error.params.limit}` };
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
      return { expected: countWords(error.keyword, error.params.limit) };
    default:
      return { expected: 'one of the forms that the schema allows here' };
  }
}

function countWords(keyword: string, limit: number): string {
  const unit = keyword.endsWith('Length') ? 'characters' : keyword.endsWith('Items') ? 'items' : 'members';
  return `at ${keyword.startsWith('min') ? 'least' : 'most'} ${limit} ${unit}`;
}

function withTypeHint(types: readonly string[], data: unknown): Expectation {
  const expected = types.filter((type) => type !== 'null').join(' or ');
  if (data === null) return { expected, hint: 'leave it out' };
  if (types.includes('string') && (typeof data === 'number' || typeof data === 'boolean'))
    return { expected, hint: 'write it as a string' };
  const numeric = types.includes('integer') || types.includes('number');
  if (numeric && typeof data === 'string' && data !== '' && !Number.isNaN(Number(data)))
    return { expected, hint: 'write it without quotes' };
  return { expected };
}

/** `string "3"`, `array`, `null`; only the type when the value must not be shown or is too long. */
function describeValue(value: JsonValue, isSecret: boolean): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === 'object') return 'object';
  if (isSecret) return typeof value;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${typeof value} of ${text.length} characters` : `${typeof value} ${text}`;
}
