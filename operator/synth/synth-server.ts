// `setpoint synth-server`: lends its synth children to operators that know the key. It never sees a repository's credentials, only the files asked for.
import { once } from 'node:events';
import { createServer, type TLSSocket } from 'node:tls';
import { OperatorError } from '../model/error.ts';
import type { SynthChild } from './child-pool.ts';
import { encodeFrame, type Frame, FrameReader, frameTypes } from './frames.ts';
import type { Confinement } from './jail.ts';
import { defaultLimits, killGraceMilliseconds } from './limits.ts';
import { type LocalSynthesizerOptions, openWorkshop, type Workshop } from './local-synthesizer.ts';
import type { ChildRequest, SynthLimits } from './messages.ts';
import { serverKeyOptions } from './pre-shared-key.ts';

/** Where the server listens and how it runs its children. */
export interface SynthServerOptions extends LocalSynthesizerOptions {
  readonly address: { readonly host: string; readonly port: number };
  /** File that holds the key shared with the operators. */
  readonly keyFile: string;
}

/** A running server. */
export interface SynthServer {
  /** The port it listens on. */
  readonly port: number;
  readonly confinement: Confinement;
  close(): Promise<void>;
}

const mostConnections = 256;
const requestBytes = 4 * 1_048_576;
const requestMilliseconds = 10_000;

/** Serves until closed. Throws OperatorError `SynthUnavailable` when no child can be started, `InvalidConfiguration` when it cannot listen. */
export async function startSynthServer(options: SynthServerOptions): Promise<SynthServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const workshop = await openWorkshop(options, limits);
  await workshop.pool.ready();
  const closing = new AbortController();
  const server = createServer(serverKeyOptions(options.keyFile), (socket) => {
    serve(socket, workshop, limits, closing.signal).catch(() => socket.destroy());
  });
  server.maxConnections = mostConnections;
  // whoever does not know the key ends here
  server.on('tlsClientError', (_, socket) => socket.destroy());
  const { host, port } = options.address;
  try {
    server.listen(port, host === '' ? undefined : host);
    await once(server, 'listening');
  } catch (error) {
    await workshop.pool.close();
    throw new OperatorError(`listen for operators on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'InvalidConfiguration',
      stage: 'synth',
      fate: 'terminal',
    });
  }
  return {
    port: (server.address() as { readonly port: number }).port,
    confinement: workshop.confinement,
    close: async () => {
      closing.abort();
      server.close();
      await workshop.pool.close();
    },
  };
}

/** One connection is one synth. */
async function serve(socket: TLSSocket, { pool }: Workshop, limits: SynthLimits, closing: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  const request = await receiveRequest(socket, limits);
  const time = request.limits.milliseconds + killGraceMilliseconds;
  await pool.use((child) => relay(socket, child, request, signal), time, signal);
  socket.end();
}

/** The first frame, its limits cut down to ours. */
async function receiveRequest(socket: TLSSocket, limits: SynthLimits): Promise<ChildRequest> {
  const reader = new FrameReader(requestBytes);
  const timeout = setTimeout(() => socket.destroy(), requestMilliseconds);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const [frame] = reader.push(chunk as Buffer);
      if (frame === undefined) continue;
      if (frame.type !== frameTypes.request) throw new Error('the first frame is no request');
      const request = JSON.parse(frame.payload.toString('utf8')) as ChildRequest;
      return { ...request, limits: strictest(limits, request.limits) };
    }
    throw new Error('the connection ended before a request');
  } finally {
    clearTimeout(timeout);
  }
}

function strictest(own: SynthLimits, asked: SynthLimits): SynthLimits {
  const names = Object.keys(own) as (keyof SynthLimits)[];
  return Object.fromEntries(names.map((name) => [name, Math.min(own[name], Number(asked[name]) || own[name])])) as unknown as SynthLimits;
}

const finalTypes: ReadonlySet<number> = new Set([frameTypes.result, frameTypes.failure]);

/** Carries frames both ways until the child has answered or ended. */
async function relay(socket: TLSSocket, child: SynthChild, request: ChildRequest, signal: AbortSignal): Promise<void> {
  const { input, output } = child.channel;
  const reader = new FrameReader(request.limits.outputBytes * 2);
  socket.write(encodeFrame(frameTypes.ready, ''));
  input.write(encodeFrame(frameTypes.request, JSON.stringify(request)));
  const toChild = (chunk: Buffer): void => void (input.writable && input.write(chunk));
  socket.on('data', toChild);
  const abort = (): void => child.kill();
  signal.addEventListener('abort', abort);
  let answered = false;
  const take = ({ type, payload }: Frame): void => {
    socket.write(encodeFrame(type as typeof frameTypes.read, payload));
    if (finalTypes.has(type)) answered = true;
  };
  try {
    output.resume();
    for await (const chunk of output) {
      for (const frame of reader.push(chunk as Buffer)) take(frame);
      if (answered) return;
    }
    socket.write(encodeFrame(frameTypes.ended, JSON.stringify(await child.ended)));
  } catch (error) {
    // a frame over the limit, or the child's pipe broke
    child.kill();
    const end = { ...(await child.ended), errors: error instanceof Error ? error.message : String(error) };
    socket.write(encodeFrame(frameTypes.ended, JSON.stringify(end)));
  } finally {
    socket.off('data', toChild);
    signal.removeEventListener('abort', abort);
  }
}
