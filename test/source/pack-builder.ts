// Builds packs byte by byte, valid and hostile, as gitformat-pack describes them.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** One entry. `declaredSize` lies about the size when given. */
export interface PackedEntry {
  readonly type: 'commit' | 'tree' | 'blob' | 'tag' | { readonly offsetBack: number } | { readonly baseId: string };
  readonly content: Buffer;
  readonly declaredSize?: number;
}

const typeNumbers = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** The bytes of one entry. */
export function packEntry({ type, content, declaredSize }: PackedEntry): Buffer {
  let size = declaredSize ?? content.length;
  const number = typeof type === 'string' ? typeNumbers[type] : 'offsetBack' in type ? 6 : 7;
  const header = [(number << 4) | (size & 15)];
  for (size = Math.floor(size / 16); size > 0; size = Math.floor(size / 128)) {
    header[header.length - 1] = (header.at(-1) ?? 0) | 0x80;
    header.push(size & 0x7f);
  }
  const base = typeof type === 'string' ? [] : 'offsetBack' in type ? offsetBytes(type.offsetBack) : [...Buffer.from(type.baseId, 'hex')];
  return Buffer.concat([Buffer.from(header), Buffer.from(base), deflateSync(content)]);
}

function offsetBytes(distance: number): number[] {
  const bytes = [distance & 0x7f];
  for (let rest = distance >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (--rest & 0x7f));
  return bytes;
}

/** A pack around entries. `count` lies about their number when given. */
export function packOf(entries: readonly Buffer[], count = entries.length): Buffer {
  const header = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
  header.writeUInt32BE(count, 8);
  const body = Buffer.concat([header, ...entries]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** Delta instructions: sizes, then raw commands. */
export function deltaOf(baseSize: number, targetSize: number, ...commands: readonly (readonly number[])[]): Buffer {
  return Buffer.from([...varint(baseSize), ...varint(targetSize), ...commands.flat()]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))];
}

/** Copies `size` (below 65,536) bytes from `offset` (below 256). */
export function copyCommand(offset: number, size: number): number[] {
  return [0x80 | 0x01 | 0x10 | 0x20, offset, size & 0xff, size >> 8];
}

/** Inserts bytes. */
export function insertCommand(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}
