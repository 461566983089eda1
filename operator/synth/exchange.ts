// The operator's side of one synth: sends the request, answers for files of the commit, takes the result. Trusts nothing that comes back.
import type { Readable, Writable } from 'node:stream';
import type { Snapshot } from '../model/snapshot.ts';
import type { BlobCache } from './blob-cache.ts';
import type { ChildEnd } from './child-pool.ts';
import { listFolder } from './folder-index.ts';
import { encodeFrame, encodeHeader, type Frame, FrameReader, frameTypes } from './frames.ts';
import type { ChildRequest } from './messages.ts';

/** A connection to a child that is ready for a request: its pipes, or a TLS connection. */
export interface ChildChannel {
  readonly input: Writable;
  readonly output: Readable;
}

/** What came back. */
export interface RawResult {
  readonly objects: Buffer;
  readonly result: Buffer;
}

/** How an exchange ended. */
export type ExchangeEnd =
  | { readonly kind: 'result'; readonly raw: RawResult }
  | ({ readonly kind: 'failure'; readonly text: string } & Asked)
  | ({ readonly kind: 'closed'; readonly end?: ChildEnd } & Asked)
  | ({ readonly kind: 'broken'; readonly reason: string } & Asked);

/** Files and folders the child asked for before it went wrong. */
interface Asked {
  readonly asked: ReadonlySet<string>;
}

/** Metadata about the objects may be this much larger than the objects. */
const metadataBytes = 32 * 1_048_576;

/**
 * Runs one synth over a channel.
 * Guarantees: only files of `snapshot` are sent, and no frame over the limits is kept in memory. Rejects only with what `snapshot.read` throws, or the signal's reason.
 */
export function exchange(
  channel: ChildChannel,
  snapshot: Snapshot,
  request: ChildRequest,
  blobs: BlobCache,
  signal: AbortSignal,
): Promise<ExchangeEnd> {
  const { input, output } = channel;
  const asked = new Set<string>();
  const session = new Session(input, snapshot, request, blobs, asked);
  return new Promise((resolve, reject) => {
    const settle = (run: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      output.off('data', onData).off('close', onClose).off('end', onClose);
      run();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    const onClose = (): void => settle(() => resolve({ kind: 'closed', asked }));
    const onFailure = (error: unknown): void => settle(() => reject(error));
    const onData = (chunk: Buffer): void => {
      const end = session.take(chunk, onFailure);
      if (end !== undefined) settle(() => resolve(end));
    };
    signal.addEventListener('abort', onAbort);
    output.on('data', onData).on('close', onClose).on('end', onClose);
    output.resume();
    if (signal.aborted) onAbort();
    else if (output.destroyed || output.readableEnded) onClose();
    else send(input, encodeFrame(frameTypes.request, JSON.stringify(request)));
  });
}

/** Answers one child and keeps what it sends. */
class Session {
  readonly #input: Writable;
  readonly #snapshot: Snapshot;
  readonly #blobs: BlobCache;
  readonly #asked: Set<string>;
  readonly #reader: FrameReader;
  #objects: Buffer | undefined;

  constructor(input: Writable, snapshot: Snapshot, { limits }: ChildRequest, blobs: BlobCache, asked: Set<string>) {
    this.#input = input;
    this.#snapshot = snapshot;
    this.#blobs = blobs;
    this.#asked = asked;
    this.#reader = new FrameReader(limits.outputBytes + metadataBytes);
  }

  /** Takes bytes of the child; the end of the exchange when they complete it. */
  take(chunk: Buffer, onFailure: (error: unknown) => void): ExchangeEnd | undefined {
    try {
      for (const frame of this.#reader.push(chunk)) {
        const end = this.#takeFrame(frame, onFailure);
        if (end !== undefined) return end;
      }
      return undefined;
    } catch (error) {
      return this.#broken(error instanceof Error ? error.message : String(error));
    }
  }

  #takeFrame({ type, payload }: Frame, onFailure: (error: unknown) => void): ExchangeEnd | undefined {
    switch (type) {
      case frameTypes.list:
        this.#answerList(payload.toString('utf8'));
        return undefined;
      case frameTypes.read:
        this.#answerRead(payload.toString('utf8')).catch(onFailure);
        return undefined;
      case frameTypes.objects:
        this.#objects = payload;
        return undefined;
      case frameTypes.result:
        if (this.#objects === undefined) return this.#broken('the result came before the objects');
        return { kind: 'result', raw: { objects: this.#objects, result: payload } };
      case frameTypes.failure:
        return { kind: 'failure', text: payload.toString('utf8', 0, 4096), asked: this.#asked };
      case frameTypes.ready:
        return undefined;
      case frameTypes.ended:
        return { kind: 'closed', asked: this.#asked, end: toChildEnd(payload) };
      default:
        return this.#broken(`unknown frame type ${type}`);
    }
  }

  #broken(reason: string): ExchangeEnd {
    return { kind: 'broken', reason, asked: this.#asked };
  }

  #answerList(folder: string): void {
    this.#asked.add(folder === '' ? './' : `${folder}/`);
    send(this.#input, encodeFrame(frameTypes.answer, JSON.stringify(listFolder(this.#snapshot, folder) ?? null)));
  }

  async #answerRead(path: string): Promise<void> {
    const entry = this.#snapshot.entries.get(path);
    if (entry === undefined || (entry.kind !== 'file' && entry.kind !== 'executable')) {
      send(this.#input, encodeFrame(frameTypes.refusal, path));
      return;
    }
    this.#asked.add(path);
    let content = this.#blobs.get(entry.oid);
    if (content === undefined) {
      content = await this.#snapshot.read(path);
      this.#blobs.set(entry.oid, content);
    }
    send(this.#input, encodeHeader(frameTypes.answer, content.length));
    send(this.#input, content);
  }
}

/** How a child on a server ended, in the server's words. */
function toChildEnd(payload: Buffer): ChildEnd {
  const { signal, errors, timedOut } = JSON.parse(payload.toString('utf8')) as Partial<Record<keyof ChildEnd, unknown>>;
  return {
    code: null,
    signal: typeof signal === 'string' ? (signal as NodeJS.Signals) : null,
    errors: typeof errors === 'string' ? errors : '',
    timedOut: timedOut === true,
  };
}

/** Errors of the stream show as its end. */
function send(input: Writable, bytes: Uint8Array): void {
  if (!input.destroyed && input.writable) input.write(bytes);
}
