// Git's pkt-line framing (gitprotocol-common): encoding, and strict reading of a complete answer. Knows no commands.
import { quoteRemote, sourceError } from '../errors.ts';

/** A line, or one of the three markers without payload. */
export type Packet = Buffer | 'flush' | 'delimiter' | 'response-end';

/** Ends a request or a section. */
export const flushPacket = '0000';
/** Separates capabilities from arguments in protocol version 2. */
export const delimiterPacket = '0001';

/** One line with its length in front. Throws TypeError when it holds a line break before its end, or is too long. */
export function packetLine(text: string): string {
  const line = `${text}\n`;
  const length = Buffer.byteLength(line) + 4;
  if (text.includes('\n') || text.includes('\0') || length > 65_520) throw new TypeError('text does not fit a pkt-line');
  return length.toString(16).padStart(4, '0') + line;
}

/** Reads packets from a complete answer. */
export class PacketReader {
  readonly #bytes: Buffer;
  readonly #attempt: string;
  #offset = 0;

  constructor(bytes: Buffer, attempt: string) {
    this.#bytes = bytes;
    this.#attempt = attempt;
  }

  /** The next packet. Throws `FetchFailed` when the answer ends before or within it, or the server reports an error. */
  next(): Packet {
    const start = this.#offset;
    const header = this.#bytes.toString('latin1', start, start + 4);
    if (!/^[0-9a-f]{4}$/i.test(header))
      throw this.failure(header.length < 4 ? 'the answer is cut' : 'the answer is not in pkt-line format');
    const length = Number.parseInt(header, 16);
    if (length < 4) {
      this.#offset += 4;
      const marker = (['flush', 'delimiter', 'response-end'] as const)[length];
      if (marker === undefined) throw this.failure('the answer is not in pkt-line format');
      return marker;
    }
    this.#offset = start + length;
    if (this.#offset > this.#bytes.length) throw this.failure('the answer is cut');
    const payload = this.#bytes.subarray(start + 4, this.#offset);
    if (payload.toString('latin1', 0, 4) === 'ERR ') throw this.failure(`the server says ${quoteRemote(payload.toString('utf8', 4))}`);
    return payload;
  }

  /** The next packet as text without its line break; markers as they are. */
  nextText(): string | Exclude<Packet, Buffer> {
    const packet = this.next();
    return typeof packet === 'string' ? packet : lineText(packet);
  }

  /** Lines up to the next flush. */
  linesToFlush(): string[] {
    const lines: string[] = [];
    for (;;) {
      const packet = this.next();
      if (packet === 'flush') return lines;
      if (typeof packet === 'string') throw this.failure(`unexpected ${packet}`);
      lines.push(lineText(packet));
    }
  }

  /** Throws unless everything was read: what comes after the end does not belong to this answer. */
  requireEnd(): void {
    if (this.#offset !== this.#bytes.length) throw this.failure('the answer goes on after its end');
  }

  /** An error about this answer. */
  failure(what: string): Error {
    return sourceError('FetchFailed', `${this.#attempt}: ${what}`, { hint: 'it is tried again' });
  }
}

function lineText(packet: Buffer): string {
  const end = packet.at(-1) === 0x0a ? packet.length - 1 : packet.length;
  return packet.toString('utf8', 0, end);
}
