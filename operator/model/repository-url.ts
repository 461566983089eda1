// Tells whether two addresses mean the same repository. Which addresses may be fetched from is the source stage's matter.

/**
 * Equal text for addresses of the same repository however they are spelled: scheme, user, case of the host, default port, `.git` and slashes at the end do not count.
 * `https://Git.example.com/team/app.git/` and `git@git.example.com:team/app` both give `git.example.com/team/app`. Undefined when it is no address.
 */
export function repositoryIdentity(address: string): string | undefined {
  const scpLike = /^(?:[^@/:\s]+@)?([^/:\s]+):(?!\/\/)(.+)$/.exec(address);
  const text = scpLike === null ? address : `ssh://${scpLike[1]}/${scpLike[2]}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const defaultPort = url.protocol === 'ssh:' ? '22' : '';
  const port = url.port === '' || url.port === defaultPort ? '' : `:${url.port}`;
  const path = url.pathname
    .replace(/\/{2,}/g, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/+$/, '');
  return url.hostname === '' ? undefined : `${url.hostname.toLowerCase()}${port}${path}`;
}
