// `crypto`: hashes and HMACs computed by the host. Everything random is refused.
import { Buffer } from 'buffer';
import { askHost, notHermetic } from './host.ts';

/** Collects what is hashed; text and bytes may be mixed. */
class Digest {
  readonly #operation: 'hash' | 'hmac';
  readonly #algorithm: string;
  readonly #key: string;
  #chunks: (string | Buffer)[] = [];

  constructor(operation: 'hash' | 'hmac', algorithm: string, key: string) {
    this.#operation = operation;
    this.#algorithm = algorithm;
    this.#key = key;
  }
  update(data: unknown, encoding?: string): this {
    if (typeof data === 'string' && (encoding === undefined || /^utf-?8$/i.test(encoding))) this.#chunks.push(data);
    else if (typeof data === 'string') this.#chunks.push(Buffer.from(data, encoding as 'hex'));
    else if (data instanceof Uint8Array) this.#chunks.push(Buffer.from(data));
    else throw new TypeError('The "data" argument must be of type string or an instance of Buffer');
    return this;
  }
  digest(encoding?: string): string | Buffer {
    const answer = this.#ask();
    if (encoding === 'hex') return answer;
    const bytes = Buffer.from(answer, 'hex');
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding as 'base64');
  }
  copy(): Digest {
    const twin = new Digest(this.#operation, this.#algorithm, this.#key);
    twin.#chunks = [...this.#chunks];
    return twin;
  }
  #ask(): string {
    const onlyText = this.#chunks.every((chunk) => typeof chunk === 'string');
    const data = onlyText
      ? this.#chunks.join('')
      : Buffer.concat(this.#chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))).toString('latin1');
    return askHost(this.#operation, `${onlyText ? 'utf8' : 'latin1'}:${this.#algorithm}`, data, this.#key);
  }
}

function random(name: string): () => never {
  return () => {
    throw notHermetic(
      `crypto.${name} (randomness)`,
      'the same commit must give the same objects: derive the value from a name, or keep it in a Secret of the cluster',
    );
  };
}

const randomNames = [
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFillSync',
  'getRandomValues',
  'generateKeyPairSync',
  'generateKeySync',
];

/** `crypto`. */
export const crypto = {
  createHash: (algorithm: string) => new Digest('hash', String(algorithm), ''),
  createHmac: (algorithm: string, key: string | Uint8Array) =>
    new Digest('hmac', String(algorithm), Buffer.from(key as string).toString('latin1')),
  hash: (algorithm: string, data: string | Uint8Array, encoding = 'hex') => new Digest('hash', algorithm, '').update(data).digest(encoding),
  getHashes: () => ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
  timingSafeEqual: (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0,
  ...Object.fromEntries(randomNames.map((name) => [name, random(name)])),
};
