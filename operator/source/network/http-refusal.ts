// Translates what HTTP and TLS say into this stage's errors. Sends nothing.
import { OperatorError } from '../../model/error.ts';
import { sourceError } from '../errors.ts';

/** What the translation needs to know of a request. */
export interface Attempt {
  readonly attempt: string;
  readonly url: URL;
  readonly authorization: string | undefined;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const longestPauseSeconds = 3600;
const defaultPauseSeconds = 30;

/** Seconds the server asks us to wait, when it does: 429 and 503 always, 403 when it is about a rate limit. At most an hour. */
export function retryAfterSeconds(headers: Headers, status: number, now: Date): number | undefined {
  const header = String(headers['retry-after'] ?? '').trim();
  const limited = status === 429 || (status === 403 && (header !== '' || headers['x-ratelimit-remaining'] === '0'));
  if (!limited && !(status === 503 && header !== '')) return undefined;
  const reset = Number(headers['x-ratelimit-reset']);
  const asked = /^\d+$/.test(header) ? Number(header) : (Date.parse(header || '-') - now.getTime()) / 1000;
  const seconds = Number.isFinite(asked) ? asked : Number.isFinite(reset) ? reset - now.getTime() / 1000 : defaultPauseSeconds;
  return Math.min(longestPauseSeconds, Math.max(1, Math.ceil(seconds)));
}

/** The error for a status other than 200. */
export function refusalOf({ attempt, authorization }: Attempt, status: number, waitSeconds: number | undefined): OperatorError {
  if (waitSeconds !== undefined) {
    return sourceError('RateLimited', `${attempt}: the server answers ${status} and asks to wait ${waitSeconds} s`, {
      retryAfterSeconds: waitSeconds,
      hint: 'it is asked again after that; a longer spec.source.interval together with a webhook costs fewer requests',
    });
  }
  if (status === 401 || status === 403) {
    const given = authorization !== undefined;
    return sourceError(
      'AuthFailed',
      `${attempt}: the server refuses ${given ? 'the credentials' : 'access without credentials'} (${status})`,
      {
        hint: given
          ? 'check username and password or token in the Secret of spec.source.secretRef: expired, wrong scope, or a line break at the end'
          : 'name a Secret with credentials in spec.source.secretRef; many servers answer so for a misspelled URL too',
      },
    );
  }
  if (status === 404 || status === 410) {
    return sourceError('RepositoryNotFound', `${attempt}: there is no such repository (${status})`, {
      hint: 'check repoURL; many servers answer so when the credentials may not see it',
    });
  }
  if (status >= 500) {
    return sourceError('RepositoryUnreachable', `${attempt}: the server answers ${status}`, { hint: 'see the log of the Git server' });
  }
  return sourceError('FetchFailed', `${attempt}: the server answers ${status}`, {
    hint: 'check repoURL: it must be the URL that git clone takes',
  });
}

const certificateProblem = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/;

/** The error for a connection that could not be made, or broke. OperatorErrors pass. */
export function connectionError({ attempt, url }: Attempt, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const causes = attemptsOf(error);
  const refused = causes.find((cause) => cause instanceof OperatorError);
  if (refused instanceof OperatorError) return refused;
  const code = codeOf(error) ?? codeOf(causes[0]) ?? 'unknown';
  if (code === 'ENOTFOUND') {
    return sourceError('RepositoryUnreachable', `${attempt}: the name ${url.hostname} does not resolve`, {
      hint: 'check the host in repoURL',
      cause: error,
    });
  }
  if (certificateProblem.test(code)) {
    return sourceError('RepositoryUnreachable', `${attempt}: the TLS certificate of ${url.host} is not trusted (${code})`, {
      hint: 'for a private CA put its certificate under ca.crt into the Secret of spec.source.secretRef',
      cause: error,
    });
  }
  if (code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' || /^E(HOST|NET|AI_)/.test(code)) {
    return sourceError('RepositoryUnreachable', `${attempt}: no connection to ${url.host} (${code})`, {
      hint: 'see whether the Git server runs',
      cause: error,
    });
  }
  return sourceError('FetchFailed', `${attempt}: the connection broke (${code})`, { hint: 'it is tried again', cause: error });
}

/** The code Node or undici gave an error, or the error that caused it. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : undefined;
}

/** The attempts that failed, where several addresses were tried. */
function attemptsOf(error: unknown): readonly unknown[] {
  return typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
}
