// Which URLs are fetched from. Addresses that names resolve to are network/'s matter.
import { sourceError } from './errors.ts';

/** The URL of a repository, checked. Throws `InvalidURL`; the message never holds what stands before an `@`. */
export function parseRepositoryAddress(text: string): URL {
  if (/^(?:[^@/:\s]+@)?[^/:\s]+:(?!\/\/)/.test(text) || /^(?:ssh|git\+ssh|ssh\+git):\/\//i.test(text)) {
    throw invalid('is an SSH address, which is not supported yet', 'use the https URL of the repository');
  }
  if (!URL.canParse(text)) throw invalid('is not a URL', 'write it as https://host/path/repo.git');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalid(`has the scheme ${url.protocol.slice(0, -1)}`, 'only https and http are fetched from');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('holds credentials', 'put them into a Secret and name it in spec.source.secretRef');
  }
  if (url.search !== '' || url.hash !== '') throw invalid('has a query or fragment', 'write it as https://host/path/repo.git');
  return url;

  function invalid(what: string, hint: string): Error {
    return sourceError('InvalidURL', `fetch from ${redactAddress(text)}: the repository URL ${what}`, { hint });
  }
}

/** An address fit to be shown: without user, password, query and fragment. */
export function redactAddress(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1')
    .replace(/^[^/@]*@/, '')
    .replace(/[?#].*$/s, '')
    .replace(/[\p{Cc}\s]/gu, '')
    .slice(0, 300);
}
