// URL and URLSearchParams with Node's own parser behind them, asked through the host. Nothing is ever fetched.
import { askHost } from './host.ts';

const parts = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;
type Part = (typeof parts)[number];
type Parsed = Record<Part | 'href' | 'origin', string>;

/** URL of the web, immutable parts answered by the host. */
export class UrlShim {
  #parsed: Parsed;
  declare protocol: string;
  declare pathname: string;
  declare hash: string;
  declare search: string;

  constructor(input: unknown, base?: unknown) {
    this.#parsed = parse(String(input), base === undefined ? '' : String(base));
  }
  static canParse(input: unknown, base?: unknown): boolean {
    return askHost('url-can-parse', String(input), base === undefined ? '' : String(base)) === 'true';
  }
  get href(): string {
    return this.#parsed.href;
  }
  get origin(): string {
    return this.#parsed.origin;
  }
  get searchParams(): UrlSearchParamsShim {
    return new UrlSearchParamsShim(this.search, (text) => this.replace('search', text));
  }
  part(name: Part): string {
    return this.#parsed[name];
  }
  replace(name: Part, value: string): void {
    this.#parsed = JSON.parse(askHost('url-set', this.href, name, value)) as Parsed;
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }
}

for (const name of parts) {
  Object.defineProperty(UrlShim.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: UrlShim) {
      return this.part(name);
    },
    set(this: UrlShim, value: unknown) {
      this.replace(name, String(value));
    },
  });
}

function parse(input: string, base: string): Parsed {
  try {
    return JSON.parse(askHost('url', input, base)) as Parsed;
  } catch (error) {
    throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input, cause: error });
  }
}

/** URLSearchParams of the web. */
export class UrlSearchParamsShim {
  #pairs: [string, string][];
  readonly #changed: (text: string) => void;

  constructor(init: unknown = '', changed: (text: string) => void = () => {}) {
    this.#changed = changed;
    if (typeof init === 'string') this.#pairs = JSON.parse(askHost('query-parse', init)) as [string, string][];
    else if (typeof init === 'object' && init !== null && Symbol.iterator in init) this.#pairs = [...(init as Iterable<[string, string]>)];
    else this.#pairs = Object.entries((init ?? {}) as Record<string, string>).map(([name, value]) => [name, String(value)]);
  }
  get size(): number {
    return this.#pairs.length;
  }
  get(name: string): string | null {
    return this.#pairs.find(([key]) => key === name)?.[1] ?? null;
  }
  getAll(name: string): string[] {
    return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
  }
  has(name: string): boolean {
    return this.#pairs.some(([key]) => key === name);
  }
  append(name: string, value: unknown): void {
    this.#pairs.push([name, String(value)]);
    this.#changed(this.toString());
  }
  set(name: string, value: unknown): void {
    const index = this.#pairs.findIndex(([key]) => key === name);
    this.#pairs = this.#pairs.filter(([key], at) => key !== name || at === index);
    if (index < 0) this.#pairs.push([name, String(value)]);
    else this.#pairs[this.#pairs.findIndex(([key]) => key === name)] = [name, String(value)];
    this.#changed(this.toString());
  }
  delete(name: string): void {
    this.#pairs = this.#pairs.filter(([key]) => key !== name);
    this.#changed(this.toString());
  }
  sort(): void {
    this.#pairs.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    this.#changed(this.toString());
  }
  forEach(visit: (value: string, name: string) => void): void {
    for (const [name, value] of this.#pairs) visit(value, name);
  }
  entries(): Iterator<[string, string]> {
    return this[Symbol.iterator]();
  }
  keys(): Iterator<string> {
    return this.#pairs.map(([name]) => name)[Symbol.iterator]();
  }
  values(): Iterator<string> {
    return this.#pairs.map(([, value]) => value)[Symbol.iterator]();
  }
  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#pairs[Symbol.iterator]();
  }
  toString(): string {
    return askHost('query-format', JSON.stringify(this.#pairs));
  }
}
