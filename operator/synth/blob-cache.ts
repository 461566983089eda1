// Files of commits that were read lately, by their Git object id: equal id, equal bytes, whoever asks. Bounded by bytes.

/** A cache of bytes that forgets what was used least recently. */
export class BlobCache {
  readonly #maximumBytes: number;
  readonly #blobs = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  get(oid: string): Uint8Array | undefined {
    const blob = this.#blobs.get(oid);
    if (blob === undefined) return undefined;
    this.#blobs.delete(oid);
    this.#blobs.set(oid, blob);
    return blob;
  }

  set(oid: string, blob: Uint8Array): void {
    if (blob.length > this.#maximumBytes / 4 || this.#blobs.has(oid)) return;
    this.#blobs.set(oid, blob);
    this.#bytes += blob.length;
    for (const [oldest, bytes] of this.#blobs) {
      if (this.#bytes <= this.#maximumBytes) break;
      this.#blobs.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
