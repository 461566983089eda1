// A verified Git object in memory, and objects by id. Parsing is git-objects' readers' matter.
import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { sourceError } from '../errors.ts';

/** Types of Git objects. */
export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** An object whose bytes were hashed to its id when it came. Kept deflated. */
export interface GitObject {
  readonly type: ObjectType;
  readonly size: number;
  readonly deflated: Uint8Array;
}

/** Objects by id in lower-case hex. */
export type ObjectMap = ReadonlyMap<string, GitObject>;

/** The id of an object. */
export function objectId(type: ObjectType, content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** Deflates content for keeping. */
export function packObject(type: ObjectType, content: Uint8Array): GitObject {
  return { type, size: content.length, deflated: deflateSync(content, { level: 1 }) };
}

/** The content of an object, hashed once more. Throws `ObjectCorrupt`. */
export function readObject(object: GitObject, oid: string): Buffer {
  let content: Buffer;
  try {
    content = inflateSync(object.deflated, { maxOutputLength: Math.max(1, object.size) });
  } catch (cause) {
    throw corrupt(oid, cause);
  }
  if (objectId(object.type, content) !== oid) throw corrupt(oid);
  return content;
}

function corrupt(oid: string, cause?: unknown): Error {
  return sourceError('ObjectCorrupt', `read object ${oid}: its bytes do not match its id`, { hint: 'it is fetched again', cause });
}
