// cdk8s' resolution of values without its cost per value, for apps without resolvers of their own. Same results, asserted by the oracle test.
import { App, Lazy } from 'cdk8s';
import type { IConstruct } from 'constructs';

type Resolve = (key: string[], value: unknown, object: IConstruct) => unknown;

/** Replaces `resolve` of cdk8s' own module. Runs once, when the libraries are loaded. */
export function speedUpResolution(module: unknown): void {
  const exported = module as { resolve: Resolve; LazyResolver: Type; ImplicitTokenResolver: Type; NumberStringUnionResolver: Type };
  const original = exported.resolve;
  const builtIn = [exported.LazyResolver, exported.ImplicitTokenResolver, exported.NumberStringUnionResolver];
  exported.resolve = (key, value, object) => {
    const { resolvers } = App.of(object);
    const onlyBuiltIn =
      resolvers.length === builtIn.length && resolvers.every((resolver, index) => resolver.constructor === builtIn[index]);
    return onlyBuiltIn ? resolveValue(value) : original(key, value, object);
  };
}

type Type = new () => object;

/** The three built-in resolvers in their order, then arrays and plain objects element by element. */
function resolveValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? resolveToken(value) : value;
  if (Array.isArray(value) && !('resolve' in value) && !('value' in value)) return value.map(resolveValue);
  return resolveToken(value);
}

interface PossibleToken {
  readonly resolve?: unknown;
  readonly value?: unknown;
}

function resolveToken(value: object): unknown {
  if (value instanceof Lazy) return resolveValue(value.produce());
  const type: unknown = value.constructor;
  const token = value as PossibleToken;
  if (typeof token.resolve === 'function') return resolveValue((token as { resolve(): unknown }).resolve());
  if (type !== Object) {
    const inner = token.value;
    if (typeof inner === 'number' || typeof inner === 'string') return { value: inner };
  }
  if (Array.isArray(value)) return value.map(resolveValue);
  if (type !== Object) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) result[key] = resolveValue(item);
  return result;
}
