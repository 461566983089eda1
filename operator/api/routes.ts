// The routes every operator has: is it alive, is it ready, its metrics. The webhook is in webhook.ts.
import type { HttpAnswer, Route } from './server.ts';

/** Alive: the event loop turns. */
export function livenessRoute(): Route {
  return { method: 'GET', path: '/healthz', handle: () => Promise.resolve(plain(200, 'ok')) };
}

/** Ready: what the operator waits for has come. `missing` names what has not. */
export function readinessRoute(missing: () => readonly string[]): Route {
  return {
    method: 'GET',
    path: '/readyz',
    handle: () => {
      const names = missing();
      return Promise.resolve(names.length === 0 ? plain(200, 'ok') : plain(503, `waiting for ${names.join(', ')}`));
    },
  };
}

/** Metrics in the exposition format of Prometheus. */
export function metricsRoute(metrics: { readonly contentType: string; render(): Promise<string> }): Route {
  return {
    method: 'GET',
    path: '/metrics',
    handle: async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.render() }),
  };
}

function plain(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
