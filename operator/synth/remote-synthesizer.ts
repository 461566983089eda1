// A Synthesizer whose children run in a `setpoint synth-server`. One connection per synth; files of the commit are sent when asked for.
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { OperatorError } from '../model/error.ts';
import { BlobCache } from './blob-cache.ts';
import type { ChildEnd, ChildLender, SynthChild } from './child-pool.ts';
import { defaultLimits } from './limits.ts';
import type { SynthLimits } from './messages.ts';
import type { Synthesizer } from './ports.ts';
import { clientKeyOptions } from './pre-shared-key.ts';
import { runSynth } from './run-synth.ts';

/** Where the server is. */
export interface RemoteSynthesizerOptions {
  readonly address: { readonly host: string; readonly port: number };
  /** File that holds the key shared with the server. */
  readonly keyFile: string;
  /** The server applies its own where they are stricter. */
  readonly limits?: Partial<SynthLimits>;
  /** Bytes of files kept between synths. @default 64 MiB */
  readonly blobCacheBytes?: number;
}

const connectMilliseconds = 5_000;
/** How much longer than the server's own clock we wait for a server that does not answer. */
const patienceMilliseconds = 60_000;

/** Opens no connection before the first synth. */
export function createRemoteSynthesizer(options: RemoteSynthesizerOptions): Synthesizer {
  const limits = { ...defaultLimits, ...options.limits };
  const blobs = new BlobCache(options.blobCacheBytes ?? 64 * 1_048_576);
  const closing = new AbortController();
  const lender: ChildLender = {
    use: async (work, milliseconds, signal) => {
      const socket = await openConnection(options, signal);
      const timer = setTimeout(() => socket.destroy(), milliseconds + patienceMilliseconds);
      try {
        return await work(childBehind(socket));
      } finally {
        clearTimeout(timer);
        socket.destroy();
      }
    },
  };
  return {
    synthesize: (request, signal) => runSynth(lender, request, limits, blobs, AbortSignal.any([signal, closing.signal])),
    close: async () =>
      closing.abort(new OperatorError('the synthesizer was closed', { code: 'SynthUnavailable', stage: 'synth', fate: 'transient' })),
  };
}

async function openConnection({ address, keyFile }: RemoteSynthesizerOptions, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connect({ host: address.host, port: address.port, ...clientKeyOptions(keyFile) });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(connectMilliseconds)]);
  try {
    await once(socket, 'secureConnect', { signal: limit });
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    const text = limit.aborted ? `no answer within ${connectMilliseconds / 1000} s` : whyNot(error);
    throw new OperatorError(`connect to the synth server ${address.host}:${address.port}: ${text}`, {
      code: 'SynthUnavailable',
      stage: 'synth',
      fate: 'transient',
      hint: 'is it running, and do both sides have the same key?',
      cause: error,
    });
  }
  // later errors show as the end of the connection
  socket.on('error', () => {});
  socket.setNoDelay(true);
  return socket;
}

function whyNot(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return code.startsWith('ERR_SSL') || code === 'ECONNRESET' ? 'it refused our key' : message;
}

/** The child the server lends us, as if it were ours. */
function childBehind(socket: TLSSocket): SynthChild {
  const ended = new Promise<ChildEnd>((resolve) => {
    socket.on('close', () => resolve({ code: null, signal: null, errors: 'the connection to the synth server broke', timedOut: false }));
  });
  return { channel: { input: socket, output: socket }, kill: () => socket.destroy(), ended };
}
