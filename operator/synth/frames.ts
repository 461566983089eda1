// Length-prefixed frames between the operator and a synth child, over whatever carries bytes: a pipe or TLS. What frames mean is in exchange.ts.

/** Kinds of frames. The first three go to the child, the others come from it. */
export const frameTypes = {
  request: 1,
  answer: 2,
  refusal: 3,
  ready: 16,
  list: 17,
  read: 18,
  objects: 19,
  result: 20,
  failure: 21,
  ended: 22,
} as const;

/** One of {@link frameTypes}. */
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** One message. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Bytes before the payload: length of the payload, then the type. */
export const frameHeaderBytes = 5;

/** The header of a frame. */
export function encodeHeader(type: FrameType, length: number): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderBytes);
  header.writeUInt32BE(length, 0);
  header.writeUInt8(type, 4);
  return header;
}

/** A whole frame. */
export function encodeFrame(type: FrameType, payload: Uint8Array | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  return Buffer.concat([encodeHeader(type, bytes.length), bytes]);
}

/** Cuts a stream of bytes into frames. Guarantees: a frame over the limit is refused by its header, before it is kept in memory. */
export class FrameReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes bytes, returns the frames they complete. Throws RangeError when a frame is over the limit. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    while (this.#length >= frameHeaderBytes) {
      const header = this.#peekHeader();
      const length = header.readUInt32BE(0);
      if (length > this.#limit) throw new RangeError(`frame of ${length} bytes, more than ${this.#limit}`);
      if (this.#length < frameHeaderBytes + length) break;
      const bytes = this.#take(frameHeaderBytes + length);
      frames.push({ type: header.readUInt8(4), payload: bytes.subarray(frameHeaderBytes) });
    }
    return frames;
  }

  #peekHeader(): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= frameHeaderBytes) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #take(length: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = all.length === length ? [] : [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }
}
