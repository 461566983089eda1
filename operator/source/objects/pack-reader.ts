// Reads a whole pack (gitformat-pack) under limits: checks its trailer, inflates and hashes every object, resolves deltas. Nothing unverified leaves this file.
import { createHash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { sourceError } from '../errors.ts';
import type { SourceLimits } from '../limits.ts';
import { applyDelta } from './delta.ts';
import { type GitObject, keepDeflated, type ObjectMap, type ObjectType, objectId, packObject, readObject } from './git-object.ts';
import { inflateExactly } from './inflate.ts';

interface PackEntry {
  readonly offset: number;
  /** Inflated size the header declares; of a delta: of its instructions. */
  readonly size: number;
  readonly data: Uint8Array;
  readonly kind: ObjectType | { readonly base: number | string };
}

const headerLength = 12;
const trailerLength = 20;
const typeNames: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag'];
const offsetDelta = 6;
const referenceDelta = 7;
const baseCacheBytes = 32 * 1024 * 1024;
const turnMilliseconds = 8;

/**
 * Every object of a pack by its id, computed from its bytes.
 * `known` holds bases that a thin pack leaves out.
 * Throws `ObjectCorrupt` for a pack that does not match its checksum or cannot be decoded, `RepoTooLarge` over a limit, before the memory is taken.
 */
export async function readPack(
  pack: Buffer,
  known: ObjectMap,
  limits: SourceLimits,
  attempt: string,
  signal: AbortSignal,
): Promise<Map<string, GitObject>> {
  const reading = new PackReading(pack, known, limits, attempt);
  return await reading.run(signal);
}

class PackReading {
  readonly #pack: Buffer;
  readonly #known: ObjectMap;
  readonly #limits: SourceLimits;
  readonly #attempt: string;
  readonly #objects = new Map<string, GitObject>();
  /** What each finished entry became, by its offset. */
  readonly #done = new Map<number, string>();
  readonly #recent = new Map<string, Buffer>();
  #recentBytes = 0;
  #inflated = 0;

  constructor(pack: Buffer, known: ObjectMap, limits: SourceLimits, attempt: string) {
    this.#pack = pack;
    this.#known = known;
    this.#limits = limits;
    this.#attempt = attempt;
  }

  async run(signal: AbortSignal): Promise<Map<string, GitObject>> {
    const count = this.#checkFrame();
    const deltas: PackEntry[] = [];
    let offset = headerLength;
    let turn = performance.now();
    const rest = async (): Promise<void> => {
      if (performance.now() - turn < turnMilliseconds) return;
      await yieldToOthers();
      signal.throwIfAborted();
      turn = performance.now();
    };
    for (let index = 0; index < count; index += 1) {
      const { entry, end, content } = this.#readEntry(offset);
      if (typeof entry.kind === 'string') this.#keep(entry, entry.kind, content, keepDeflated(entry.kind, content.length, entry.data));
      else deltas.push(entry);
      offset = end;
      await rest();
    }
    if (offset !== this.#pack.length - trailerLength) throw this.#corrupt('it holds more than its objects');
    await this.#resolve(deltas, rest);
    return this.#objects;
  }

  #checkFrame(): number {
    const pack = this.#pack;
    if (pack.length < headerLength + trailerLength || pack.toString('latin1', 0, 4) !== 'PACK') throw this.#corrupt('it is cut or no pack');
    const version = pack.readUInt32BE(4);
    if (version !== 2 && version !== 3) throw this.#corrupt(`its version ${version} is unknown`);
    const end = pack.length - trailerLength;
    const sum = createHash('sha1').update(pack.subarray(0, end)).digest();
    if (!sum.equals(pack.subarray(end))) throw this.#corrupt('it does not match its checksum');
    const count = pack.readUInt32BE(8);
    if (count > this.#limits.objects) throw this.#tooLarge(`${count} objects, more than ${this.#limits.objects}`);
    return count;
  }

  #readEntry(offset: number): { readonly entry: PackEntry; readonly end: number; readonly content: Buffer } {
    let cursor = offset;
    let byte = this.#byte(cursor++);
    const type = (byte >> 4) & 7;
    let size = byte & 15;
    for (let scale = 16; byte & 0x80; scale *= 128) {
      byte = this.#byte(cursor++);
      size += (byte & 0x7f) * scale;
      if (size > Number.MAX_SAFE_INTEGER) throw this.#corrupt('a size is not valid');
    }
    let kind: PackEntry['kind'] | undefined = typeNames[type];
    if (type === offsetDelta) {
      byte = this.#byte(cursor++);
      let distance = byte & 0x7f;
      while (byte & 0x80) {
        byte = this.#byte(cursor++);
        distance = (distance + 1) * 128 + (byte & 0x7f);
      }
      kind = { base: offset - distance };
    } else if (type === referenceDelta) {
      kind = { base: this.#pack.toString('hex', cursor, cursor + 20) };
      cursor += 20;
    }
    if (kind === undefined) throw this.#corrupt(`an object has the unknown type ${type}`);
    this.#take(size);
    const { content, used } = this.#inflate(cursor, size);
    const entry = { offset, size, kind, data: this.#pack.subarray(cursor, cursor + used) };
    return { entry, end: cursor + used, content };
  }

  #inflate(start: number, size: number): { readonly content: Buffer; readonly used: number } {
    const input = this.#pack.subarray(start, this.#pack.length - trailerLength);
    // a window, since the end of the compressed bytes is not known: incompressible data grows by little
    const window = input.subarray(0, size + (size >> 3) + 1024);
    try {
      return inflateExactly(window, size);
    } catch (cause) {
      throw this.#corrupt('an object cannot be decompressed to its declared size', cause);
    }
  }

  /** Deltas become objects as soon as their base is known, in whatever order the pack holds them; each is touched at most twice. */
  async #resolve(deltas: readonly PackEntry[], rest: () => Promise<void>): Promise<void> {
    const waiting = new Map<number | string, PackEntry[]>();
    let missing = deltas.length;
    for (const delta of deltas) {
      const ready = [delta];
      for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
        const base = baseOf(next);
        const baseId = typeof base === 'number' ? this.#done.get(base) : base;
        const object = baseId === undefined ? undefined : (this.#objects.get(baseId) ?? this.#known.get(baseId));
        if (baseId === undefined || object === undefined) {
          waiting.set(base, [...(waiting.get(base) ?? []), next]);
          continue;
        }
        const oid = this.#apply(next, baseId, object);
        missing -= 1;
        ready.push(...takeFrom(waiting, next.offset), ...takeFrom(waiting, oid));
        await rest();
      }
    }
    if (missing > 0) throw this.#corrupt('the base of a delta is missing');
  }

  #apply(delta: PackEntry, baseId: string, base: GitObject): string {
    const content = this.#recent.get(baseId) ?? readObject(base, baseId);
    const instructions = this.#inflate(delta.offset + this.#prefixLength(delta), delta.size).content;
    const result = applyDelta(instructions, content, (size) => this.#take(size));
    if (typeof result === 'string') throw this.#corrupt(result);
    return this.#keep(delta, base.type, result, undefined);
  }

  #prefixLength(delta: PackEntry): number {
    return delta.data.byteOffset - this.#pack.byteOffset - delta.offset;
  }

  #keep(entry: PackEntry, type: ObjectType, content: Buffer, object: GitObject | undefined): string {
    const oid = objectId(type, content);
    this.#done.set(entry.offset, oid);
    if (!this.#objects.has(oid)) this.#objects.set(oid, object ?? packObject(type, content));
    this.#remember(oid, content);
    return oid;
  }

  /** Keeps the newest contents at hand, since deltas mostly build on what was just read. */
  #remember(oid: string, content: Buffer): void {
    if (this.#recent.has(oid)) return;
    this.#recent.set(oid, content);
    this.#recentBytes += content.length;
    for (const [oldest, bytes] of this.#recent) {
      if (this.#recentBytes <= baseCacheBytes) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= bytes.length;
    }
  }

  /** Counts bytes before they are allocated. */
  #take(size: number): void {
    const { objectBytes, inflatedBytes } = this.#limits;
    if (size > objectBytes) throw this.#tooLarge(`an object of ${size} bytes, more than ${objectBytes}`);
    this.#inflated += size;
    if (this.#inflated > inflatedBytes) throw this.#tooLarge(`more than ${inflatedBytes} bytes in all`);
  }

  #byte(at: number): number {
    const byte = at < this.#pack.length - trailerLength ? this.#pack[at] : undefined;
    if (byte === undefined) throw this.#corrupt('it is cut');
    return byte;
  }

  #corrupt(what: string, cause?: unknown): Error {
    return sourceError('ObjectCorrupt', `${this.#attempt}: the pack is not valid: ${what}`, { hint: 'it is fetched again', cause });
  }

  #tooLarge(what: string): Error {
    return sourceError('RepoTooLarge', `${this.#attempt}: the pack holds ${what}`, {
      hint: 'keep large files out of the manifest repo, or raise the limit',
    });
  }
}

function baseOf(delta: PackEntry): number | string {
  return typeof delta.kind === 'string' ? delta.offset : delta.kind.base;
}

function takeFrom(waiting: Map<number | string, PackEntry[]>, base: number | string): readonly PackEntry[] {
  const entries = waiting.get(base) ?? [];
  waiting.delete(base);
  return entries;
}
