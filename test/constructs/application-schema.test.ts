// The schema is the only place where a field is written: the TypeScript types say the same as it, and each field is documented.
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { applicationSpecSchema } from '../../constructs/application-spec-schema.ts';
import { applicationStatusSchema } from '../../constructs/application-status-schema.ts';
import type { JsonSchema } from '../../constructs/json-schema.ts';

const file = path.resolve(import.meta.dirname, '..', '..', 'constructs', 'application-schema.ts');
const program = ts.createProgram([file], {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  allowImportingTsExtensions: true,
  exactOptionalPropertyTypes: true,
  strict: true,
  noEmit: true,
  types: [],
});
const checker = program.getTypeChecker();

/** A type or a schema in words: `string`, `integer` as `number`, members with `?` where they may be missing. */
type Shape = string | readonly Shape[] | { readonly [member: string]: Shape };

function shapeOfType(name: string): Shape {
  const source = program.getSourceFile(file);
  const symbol = source && checker.getSymbolAtLocation(source);
  const exported = symbol && checker.getExportsOfModule(symbol).find((candidate) => candidate.name === name);
  if (exported === undefined) throw new Error(`application-schema.ts exports no ${name}`);
  return describeType(checker.getDeclaredTypeOfSymbol(exported));
}

function describeType(type: ts.Type): Shape {
  if (type.flags & ts.TypeFlags.BooleanLike) return 'boolean';
  if (type.isUnion() && type.types.every((member) => member.flags & ts.TypeFlags.BooleanLiteral)) return 'boolean';
  if (type.isUnion()) return type.types.map((member) => String((member as ts.StringLiteralType).value)).sort();
  if (type.flags & ts.TypeFlags.String) return 'string';
  if (type.flags & ts.TypeFlags.Number) return 'number';
  const item = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : undefined;
  if (item !== undefined) return ['items', describeType(item)];
  if (type.symbol?.name === 'JsonObject') return 'any object';
  const members = checker.getPropertiesOfType(type).map((property) => {
    const optional = property.flags & ts.SymbolFlags.Optional ? '?' : '';
    return [`${property.name}${optional}`, describeType(checker.getNonNullableType(checker.getTypeOfSymbol(property)))] as const;
  });
  return Object.fromEntries(members);
}

function describeSchema(schema: JsonSchema, form: 'stored' | 'written'): Shape {
  if (schema.enum) return [...schema.enum].sort();
  if (schema.type === 'array' && schema.items) return ['items', describeSchema(schema.items, form)];
  if (schema.type === 'integer') return 'number';
  if (schema.type !== 'object') return schema.type;
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'any object';
  const members = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const hasDefault = property.default !== undefined;
    const isThere = form === 'stored' ? hasDefault || schema.required?.includes(name) : schema.required?.includes(name) && !hasDefault;
    return [`${name}${isThere ? '' : '?'}`, describeSchema(property, form)] as const;
  });
  return Object.fromEntries(members);
}

test('ApplicationSpec has the fields of the schema; those with a default are always there', () => {
  expect(shapeOfType('ApplicationSpec')).toEqual(describeSchema(applicationSpecSchema, 'stored'));
});

test('ApplicationSpecProps has the fields of the schema; those with a default may be left out', () => {
  expect(shapeOfType('ApplicationSpecProps')).toEqual(describeSchema(applicationSpecSchema, 'written'));
});

test('ApplicationStatus has the fields of the schema', () => {
  expect(shapeOfType('ApplicationStatus')).toEqual(describeSchema(applicationStatusSchema, 'stored'));
});

function fieldsOf(schema: JsonSchema, prefix: string): (readonly [string, JsonSchema])[] {
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    [`${prefix}.${name}`, property] as const,
    ...fieldsOf(property, `${prefix}.${name}`),
  ]);
  return [...members, ...(schema.items ? fieldsOf(schema.items, `${prefix}[]`) : [])];
}

describe('schema', () => {
  const spec = fieldsOf(applicationSpecSchema, '.spec');
  const status = fieldsOf(applicationStatusSchema, '.status');

  test('every field of the spec is documented', () => {
    expect(spec.filter(([, schema]) => !schema.description).map(([name]) => name)).toEqual([]);
  });

  test('every text and list has a limit, so that rules stay within their cost and an Application within its size', () => {
    const unlimited = [...spec, ...status].filter(
      ([, schema]) =>
        (schema.type === 'string' && schema.maxLength === undefined && schema.enum === undefined && schema.format === undefined) ||
        (schema.type === 'array' && schema.maxItems === undefined),
    );
    expect(unlimited.map(([name]) => name)).toEqual([]);
  });

  test('an object whose members have defaults has one itself, or is required', () => {
    const { source, sync } = applicationSpecSchema.properties;
    expect(applicationSpecSchema.required).toContain('source');
    expect(sync.default).toEqual({});
    expect(source.required).toEqual(['repoURL']);
  });
});
