// Inflates one zlib stream of known size, allocating no more than that. What the bytes mean is the callers' matter.
import { inflateSync } from 'node:zlib';

const smallestChunk = 64;
const largestChunk = 1024 * 1024;

/** The content and how many bytes of the input it took. Throws when the stream is not valid or not of this size. */
export function inflateExactly(input: Uint8Array, size: number): { readonly content: Buffer; readonly used: number } {
  // a chunk just large enough: the default of 16 KiB would be held by each of thousands of small objects
  const chunkSize = Math.min(largestChunk, Math.max(smallestChunk, size + 1));
  // @types/node does not know the shape that `info` returns
  const result = inflateSync(input, { info: true, chunkSize, maxOutputLength: Math.max(1, size) }) as unknown as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  if (result.buffer.length !== size) throw new RangeError(`${result.buffer.length} bytes instead of ${size}`);
  return { content: result.buffer, used: result.engine.bytesWritten };
}
