// Faults by dice: what may befall requests to the API server and to a Git server. Equal seeds throw equal dice for the n-th request of a name,
// whatever else is going on.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, ProxiedRequest } from '../../dev/api-proxy.ts';
import { cutResponse } from '../../dev/git-server.ts';

/** Throws dice that depend on a seed and on what they are thrown for. */
export class Dice {
  readonly #seed: number;
  readonly #counts = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** In [0, 1). */
  roll(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return createHash('sha256').update(`${this.#seed} ${what} ${count}`).digest().readUInt32BE() / 2 ** 32;
  }

  pick<Item>(what: string, items: readonly Item[]): Item {
    const item = items[Math.floor(this.roll(what) * items.length)];
    if (item === undefined) throw new RangeError(`nothing to pick for ${what}`);
    return item;
  }
}

/** Of requests that are spoilt, and of lines of watches. */
const spoiltRequests = 0.15;
const spoiltLines = 0.1;

const expired = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old resource version' };
const expiredEvent = JSON.stringify({ type: 'ERROR', object: expired });

/** Faults of an API server; `history` is what its proxy recorded, for answers of earlier lists. */
export function apiFaults(dice: Dice, history: () => readonly ProxiedRequest[]): (request: ProxiedRequest) => Fault | undefined {
  return (request) => {
    const { method, path, watch } = request;
    const name = `${method} ${path} ${watch}`;
    if (watch) return dice.roll(name) < spoiltRequests ? watchRefusal(dice, name) : { lines: spoilLines(dice, name) };
    if (dice.roll(name) >= spoiltRequests) return undefined;
    const stale = isList(request) ? earlierAnswer(request, history()) : undefined;
    return dice.pick<Fault>(`${name} fault`, [
      { respond: { status: 429, headers: { 'retry-after': '1' } } },
      ...[500, 502, 503, 504].map((status) => ({ respond: { status } })),
      { delay: 300 },
      { reset: 'before' },
      { reset: 'after' },
      { cutAfter: 20 },
      ...(stale === undefined ? [] : [{ respond: { status: 200, body: stale } }]),
    ]);
  };
}

function watchRefusal(dice: Dice, name: string): Fault {
  return dice.pick<Fault>(`${name} refusal`, [
    { respond: { status: 410, body: expired } },
    { respond: { status: 200, body: `${expiredEvent}\n` } },
    { respond: { status: 503 } },
    { reset: 'before' },
  ]);
}

/** Lines that are cut, lost (and the server's memory of them with it), told twice, told later than the next one, or garbled. */
function spoilLines(dice: Dice, name: string): (line: string) => readonly string[] | undefined {
  let heldBack: string | undefined;
  let hasLost = false;
  return (line) => {
    if (hasLost) return [expiredEvent];
    const late = heldBack === undefined ? [] : [heldBack];
    heldBack = undefined;
    if (dice.roll(`${name} line`) >= spoiltLines) return [line, ...late];
    switch (dice.pick(`${name} how`, ['cut', 'lost', 'twice', 'late', 'garbled', 'expired'])) {
      case 'cut':
        return undefined;
      case 'lost':
        hasLost = true;
        return late;
      case 'twice':
        return [line, line, ...late];
      case 'late':
        heldBack = line;
        return late;
      case 'garbled':
        return [line.slice(0, line.length / 2), ...late];
      default:
        return [expiredEvent];
    }
  };
}

/** A list that the API server may answer from an old copy. Inventories are read from etcd itself. */
function isList({ method, path, query }: ProxiedRequest): boolean {
  return method === 'GET' && query.has('limit') && !path.endsWith('/inventories');
}

function earlierAnswer({ path, query }: ProxiedRequest, history: readonly ProxiedRequest[]): string | undefined {
  const earlier = history.filter((one) => one.path === path && String(one.query) === String(query) && one.answer !== undefined);
  return earlier.at(-2)?.answer;
}

/** Faults of a Git server. A request for `shown` may be answered by a copy of it that lags behind. */
export function gitFaults(
  dice: Dice,
  repositories: { readonly shown: string; readonly lagging: string },
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    const url = request.url ?? '';
    if (!url.startsWith(`/${repositories.shown}/`) || url.includes('receive-pack') || dice.roll(url) >= 2 * spoiltRequests) return next();
    switch (dice.pick(`${url} fault`, ['error', 'cut', 'reset', 'lag', 'lag'])) {
      case 'error':
        response.writeHead(503).end();
        return;
      case 'cut':
        cutResponse(response, 40);
        return next();
      case 'reset':
        response.destroy();
        return;
      default:
        request.url = url.replace(repositories.shown, repositories.lagging);
        return next();
    }
  };
}
