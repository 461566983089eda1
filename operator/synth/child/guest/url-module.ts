// `url`: file URLs and the WHATWG classes; the legacy parse for what old code asks of it.
import { absolutePath } from './virtual-files.ts';

/** `url`. */
export const urlModule = {
  get URL() {
    return URL;
  },
  get URLSearchParams() {
    return URLSearchParams;
  },
  fileURLToPath: (url: string | { pathname: string }) => absolutePath(typeof url === 'string' ? new URL(url) : url),
  pathToFileURL: (file: string) => new URL(`file://${encodeURI(absolutePath(file)).replace(/[?#]/g, encodeURIComponent)}`),
  parse: (text: string) => {
    try {
      const url = new URL(text);
      return { href: url.href, protocol: url.protocol, host: url.host, hostname: url.hostname, port: url.port, pathname: url.pathname };
    } catch {
      return { href: text, protocol: null, host: null, hostname: null, port: null, pathname: text };
    }
  },
};
