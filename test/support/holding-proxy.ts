// Holds one chosen request of each namespace at the API server's door, so that an operator can be killed while all of them are there.
import type { ApiProxy, Fault, ProxiedRequest } from '../../dev/api-proxy.ts';
import { eventually } from './eventually.ts';

/** On which side of the server's work a request is held. */
export type Side = 'before' | 'after';

/** Names of the mutating requests in one namespace, in words that do not depend on timing. */
export class RequestNames {
  readonly #counts = new Map<string, number>();

  /** `PATCH configmaps/settings`, `PUT inventories/shop-0 2` for the second of them; undefined for reads, dry runs and Events. */
  name({ method, path, query }: ProxiedRequest): string | undefined {
    if (method === 'GET' || query.has('dryRun') || path.startsWith('/apis/events.k8s.io/')) return undefined;
    const [, namespace = '', rest = ''] = /\/namespaces\/([^/]+)\/(.*)$/.exec(path) ?? [];
    const text = `${method} ${rest}`;
    const count = (this.#counts.get(`${namespace} ${text}`) ?? 0) + 1;
    this.#counts.set(`${namespace} ${text}`, count);
    return count === 1 ? text : `${text} ${count}`;
  }
}

/** Requests that are held, one per namespace. */
export interface Holding {
  /** Names of the mutating requests that came, by namespace. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Resolves when all of them are held, those of the side `after` with the server's work done. */
  reached(): Promise<void>;
  /** Drops them: what was held `before` never reaches the server. */
  drop(): void;
}

/** Holds, from now on, the request named for each namespace. */
export function holdRequests(proxy: ApiProxy, wanted: ReadonlyMap<string, string>, side: Side): Holding {
  const names = new RequestNames();
  const seen = new Map<string, string[]>();
  const held = new Map<string, ProxiedRequest>();
  const dropped = Promise.withResolvers<void>();
  const fault: Fault = side === 'before' ? { until: dropped.promise, reset: 'before' } : { answerUntil: dropped.promise };
  proxy.onRequest = (request) => {
    const namespace = /\/namespaces\/([^/]+)\//.exec(request.path)?.[1] ?? '';
    const name = wanted.has(namespace) ? names.name(request) : undefined;
    if (name === undefined) return undefined;
    seen.set(namespace, [...(seen.get(namespace) ?? []), name]);
    if (name !== wanted.get(namespace)) return undefined;
    held.set(namespace, request);
    return fault;
  };
  return {
    names: seen,
    reached: () =>
      eventually(
        () => {
          for (const [namespace, name] of wanted) {
            const request = held.get(namespace);
            if (request === undefined || (side === 'after' && request.status === undefined))
              throw new Error(`${name} has not come in ${namespace}, only ${seen.get(namespace)?.join(', ') ?? 'nothing'}`);
          }
        },
        { timeout: 60_000 },
      ),
    drop() {
      proxy.onRequest = undefined;
      dropped.resolve();
    },
  };
}
