// All repositories the operator follows: finds the one source that several applications share. Following is followed-source.ts.
import { repositoryIdentity } from '../model/repository-url.ts';
import { sourceError } from './errors.ts';
import { FollowedSource } from './followed-source.ts';
import { defaultLimits } from './limits.ts';
import { GitHttp } from './network/git-http.ts';
import type { SourcePool, SourceSpec } from './ports.ts';
import { GitRemote } from './protocol/git-remote.ts';
import { Repository } from './repository.ts';
import { parseRepositoryAddress, redactAddress } from './repository-address.ts';
import { defaultDeadlines, defaultLooks, type SourcePoolOptions } from './source-options.ts';

const unusedMilliseconds = 300_000;

/** The sources of one operator process. Holds connections and timers until closed. */
export function createSourcePool(options: SourcePoolOptions): SourcePool {
  const { clock, emit = () => undefined, random = Math.random } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const deadlines = { ...defaultDeadlines, ...options.deadlines };
  const looks = { ...defaultLooks, ...options.looks };
  const http = new GitHttp(options.network ?? {}, clock);
  const sources = new Map<string, { readonly url: string; readonly source: FollowedSource }>();

  const followed = (spec: SourceSpec): FollowedSource => {
    const key = sourceKey(spec);
    const known = sources.get(key);
    if (known !== undefined) return known.source;
    const open = (): Repository =>
      new Repository(new GitRemote({ url: parseRepositoryAddress(spec.url), spec, http, limits, deadlines }), spec.ref, limits);
    const source = new FollowedSource({ url: redactAddress(spec.url), open, clock, emit, looks, random });
    sources.set(key, { url: spec.url, source });
    return source;
  };
  const forgetUnused = (): void => {
    for (const [key, { source }] of sources) {
      if (source.isUnused && clock.monotonic() - source.lastLook > unusedMilliseconds) sources.delete(key);
    }
  };

  return {
    subscribe: (spec, intervalMilliseconds, onChange) => {
      forgetUnused();
      const source = followed(spec);
      if (spec.followedBefore !== undefined) source.remember(spec.followedBefore);
      return source.subscribe(intervalMilliseconds, spec.requireFastForward, onChange);
    },
    snapshot: (spec, signal) => followed(spec).snapshot(spec.requireFastForward, signal),
    lastGood: (spec) => sources.get(sourceKey(spec))?.source.lastGood(spec.requireFastForward),
    takeRewrite: (spec) => sources.get(sourceKey(spec))?.source.takeRewrite(spec.requireFastForward),
    look: (target) => {
      const found =
        'spec' in target
          ? [sources.get(sourceKey(target.spec))]
          : [...sources.values()].filter(({ url }) => isSameRepository(url, target.url));
      for (const entry of found) entry?.source.look();
      return found.filter((entry) => entry !== undefined).length;
    },
    close: async () => {
      const reason = sourceError('FetchFailed', 'look at the repository: the operator is stopping');
      for (const { source } of sources.values()) source.close(reason);
      sources.clear();
      await http.close();
    },
  };
}

/** Equal for everything that can share a poll. */
function sourceKey({ url, ref, credentialsId }: SourceSpec): string {
  return JSON.stringify([url, ref ?? null, credentialsId]);
}

function isSameRepository(left: string, right: string): boolean {
  const identity = repositoryIdentity(left);
  return identity !== undefined && identity === repositoryIdentity(right);
}
