// The part of OpenAPI v3 that structural CRD schemas use, and the TypeScript types that follow from a schema. No schema of ours lives here.

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** One CEL rule: what must hold, and the sentence the API server answers with when it does not. */
export type ValidationRule = {
  readonly rule: string;
  readonly message: string;
};

/** A structural schema; a type alias, so that it is a JsonObject too (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema). */
export type JsonSchema = {
  readonly type: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: JsonValue;
  readonly enum?: readonly string[];
  readonly format?: 'date-time' | 'int32' | 'int64';
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
};

/** The value as the API server stores it: fields with a default are always there. */
export type Stored<Schema> = ValueOf<Schema, 'stored'>;

/** The value as a person writes it: fields with a default may be left out. */
export type Written<Schema> = ValueOf<Schema, 'written'>;

type Form = 'stored' | 'written';

type ValueOf<Schema, F extends Form> = Schema extends { readonly enum: readonly (infer Member)[] }
  ? Member
  : Schema extends { readonly type: 'string' }
    ? string
    : Schema extends { readonly type: 'integer' }
      ? number
      : Schema extends { readonly type: 'boolean' }
        ? boolean
        : Schema extends { readonly type: 'array'; readonly items: infer Item }
          ? readonly ValueOf<Item, F>[]
          : Schema extends { readonly type: 'object'; readonly properties: infer Properties }
            ? ObjectOf<Properties, PresentKeys<Properties, RequiredKeys<Schema>, F>, F>
            : Schema extends { readonly additionalProperties: infer Member }
              ? { readonly [key: string]: ValueOf<Member, F> }
              : JsonObject;

type RequiredKeys<Schema> = Schema extends { readonly required: readonly (infer Key)[] } ? Key : never;

type DefaultedKeys<Properties> = {
  [Key in keyof Properties]: Properties[Key] extends { readonly default: unknown } ? Key : never;
}[keyof Properties];

type PresentKeys<Properties, Required, F extends Form> = F extends 'stored'
  ? Required | DefaultedKeys<Properties>
  : Exclude<Required, DefaultedKeys<Properties>>;

type ObjectOf<Properties, Present, F extends Form> = Flat<
  { readonly [Key in keyof Properties as Key extends Present ? Key : never]: ValueOf<Properties[Key], F> } & {
    readonly [Key in keyof Properties as Key extends Present ? never : Key]?: ValueOf<Properties[Key], F>;
  }
>;

/** One object type instead of an intersection, so that editors and compilers show its fields. */
type Flat<Value> = Value extends infer Whole ? { [Key in keyof Whole]: Whole[Key] } : never;
