// A verified Git object in memory, and objects by id. Parsing is commit-reader.ts and tree.ts.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { sourceError } from '../errors.ts';
import { inflateExactly } from './inflate.ts';

/** Types of Git objects. */
export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** An object whose bytes were hashed to its id when it came. */
export interface GitObject {
  readonly type: ObjectType;
  readonly size: number;
  /** As they came where that was deflated, else plain when small. */
  readonly bytes: Uint8Array;
  readonly isDeflated: boolean;
}

/** Objects by id in lower-case hex. */
export type ObjectMap = ReadonlyMap<string, GitObject>;

/** The id of an object. */
export function objectId(type: ObjectType, content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** Content up to this size is kept plain: a deflater takes a quarter of a megabyte for each. */
const plainBytes = 64 * 1024;

/** An object from its content. */
export function packObject(type: ObjectType, content: Uint8Array): GitObject {
  if (content.length > plainBytes) return keepDeflated(type, content.length, deflateSync(content, { level: 1 }));
  return { type, size: content.length, bytes: new Uint8Array(content), isDeflated: false };
}

/** An object around a copy of deflated bytes: a copy with memory of its own, since a Buffer is a part of a larger block and would hold all of it. */
export function keepDeflated(type: ObjectType, size: number, deflated: Uint8Array): GitObject {
  return { type, size, bytes: new Uint8Array(deflated), isDeflated: true };
}

/** The content of an object, the caller's own copy, hashed once more. Throws `ObjectCorrupt`. */
export function readObject(object: GitObject, oid: string): Buffer {
  let content: Buffer;
  try {
    content = object.isDeflated ? inflateExactly(object.bytes, object.size).content : Buffer.from(object.bytes);
  } catch (cause) {
    throw corrupt(oid, cause);
  }
  if (objectId(object.type, content) !== oid) throw corrupt(oid);
  return content;
}

function corrupt(oid: string, cause?: unknown): Error {
  return sourceError('ObjectCorrupt', `read object ${oid}: its bytes do not match its id`, { hint: 'it is fetched again', cause });
}
