// Stands between a pool and a real Git server: records its answers, and replays them whole or spoiled, as fast as loopback goes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Which of a repository's answers. */
export type AnswerName = 'advertisement' | 'ls-refs' | 'fetch';

/** How an answer is spoiled. `broken`: the connection ends early; `short`: the answer ends early and says it is complete. */
export interface Spoil {
  readonly answer: AnswerName;
  readonly how: 'broken' | 'short';
  readonly bytes: number;
}

/** A running replay server. */
export interface ReplayServer {
  readonly url: string;
  /** What was recorded, by name. */
  readonly recorded: ReadonlyMap<AnswerName, Buffer>;
  /** From now on nothing is forwarded. */
  replay(): void;
  /** Forwards again; each answer replaces what was recorded under its name. */
  record(): void;
  spoil: Spoil | undefined;
  /** Replaces a recorded answer. */
  replace(answer: AnswerName, body: Buffer): void;
  close(): Promise<void>;
}

/** Starts forwarding to `upstream`. `version` is the newest protocol version it lets through. */
export async function startReplayServer(upstream: string, version: 1 | 2): Promise<ReplayServer> {
  const recorded = new Map<AnswerName, Buffer>();
  let forwarding = true;
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const name: AnswerName = request.method === 'GET' ? 'advertisement' : body.includes('command=ls-refs') ? 'ls-refs' : 'fetch';
    if (forwarding) recorded.set(name, await forward(request, body));
    const bytes = recorded.get(name) ?? Buffer.alloc(0);
    response.setHeader('content-type', `application/x-git-upload-pack-${name === 'advertisement' ? 'advertisement' : 'result'}`);
    const { spoil } = replay;
    if (spoil?.answer !== name) return void response.end(bytes);
    if (spoil.how === 'short') return void response.end(bytes.subarray(0, spoil.bytes));
    response.setHeader('content-length', bytes.length);
    response.flushHeaders();
    response.write(bytes.subarray(0, spoil.bytes), () => response.destroy());
  };
  const forward = async (request: IncomingMessage, body: Buffer): Promise<Buffer> => {
    const headers: Record<string, string> = version === 2 ? { 'git-protocol': 'version=2' } : {};
    if (request.headers['content-type'] !== undefined) headers['content-type'] = request.headers['content-type'];
    const init = request.method === 'POST' ? { method: 'POST', headers, body: new Uint8Array(body) } : { headers };
    const response = await fetch(new URL(request.url ?? '/', upstream), init);
    return Buffer.from(await response.arrayBuffer());
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const replay: ReplayServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recorded,
    spoil: undefined,
    replay: () => {
      forwarding = false;
    },
    record: () => {
      forwarding = true;
    },
    replace: (name, body) => {
      recorded.set(name, body);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return replay;
}
