// The child's end of the pipe to its parent: blocking reads and writes on its own stdin and stdout. The child has no other descriptors.
import { readSync, writeSync } from 'node:fs';
import { encodeHeader, type Frame, type FrameType, frameHeaderBytes } from '../frames.ts';

const input = 0;
const output = 1;

/** Waits for the next frame; undefined when the parent is gone. */
export function receiveFrame(): Frame | undefined {
  const header = readExactly(frameHeaderBytes);
  if (header === undefined) return undefined;
  const payload = readExactly(header.readUInt32BE(0));
  return payload === undefined ? undefined : { type: header.readUInt8(4), payload };
}

/** Sends a frame; returns when all of it is written. */
export function sendFrame(type: FrameType, payload: Uint8Array | string): void {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  writeAll(encodeHeader(type, bytes.length));
  writeAll(bytes);
}

function readExactly(length: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = retry(() => readSync(input, buffer, filled, length - filled, null));
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer;
}

function writeAll(bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += retry(() => writeSync(output, bytes, written));
}

/** A descriptor that somebody made non-blocking says EAGAIN instead of waiting. */
function retry(operation: () => number): number {
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
