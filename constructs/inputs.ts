// `inputs`: what spec.source.inputs says, for the app's code. Read when first used, never while this file is loaded.
import type { JsonObject, JsonValue } from './json-schema.ts';

/** The shape of {@link inputs}. Narrow it by a cast: `inputs as { replicas?: number }`. */
export type Inputs = JsonObject;

/**
 * The Application's `spec.source.inputs`; read-only, `{}` when there are none.
 * Outside the operator (`cdk8s synth`) it is the JSON object in the environment variable SETPOINT_INPUTS.
 */
export const inputs: Inputs = new Proxy<JsonObject>(
  {},
  {
    get: (_, name) => Reflect.get(readInputs(), name),
    has: (_, name) => Reflect.has(readInputs(), name),
    ownKeys: () => Reflect.ownKeys(readInputs()),
    getOwnPropertyDescriptor: (_, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(readInputs(), name);
      return descriptor && { ...descriptor, configurable: true };
    },
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
  },
);

function refuse(): never {
  throw new TypeError('inputs are read-only: they are what spec.source.inputs says');
}

/** Where the values come from: the operator's sandbox sets the global, the plain cdk8s command the environment variable. */
function readInputs(): JsonObject {
  const given: unknown = (globalThis as { __setpointInputs?: unknown }).__setpointInputs ?? process.env['SETPOINT_INPUTS'];
  if (given === undefined || given === null || given === '') return {};
  const value: unknown = typeof given === 'string' ? parseJson(given) : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('inputs must be a JSON object, e.g. {"env": "prod"}');
  return value as JsonObject;
}

let parsed: { readonly text: string; readonly value: JsonValue } | undefined;

function parseJson(text: string): JsonValue {
  if (parsed?.text === text) return parsed.value;
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new TypeError(`inputs (SETPOINT_INPUTS) are not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  parsed = { text, value };
  return value;
}
