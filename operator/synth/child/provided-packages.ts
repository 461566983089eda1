// Which packages and Node built-ins an app can import. The table of packages is made by the toolchain, next to the snapshot.

/** What the snapshot holds. */
export interface ProvidedPackages {
  /** Names as they are imported, deep ones included: `cdk8s-plus-28/lib/imports/k8s`. */
  readonly modules: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Node built-ins that exist during synth; `node:` is optional. */
export const providedBuiltIns: ReadonlySet<string> = new Set([
  ...['fs', 'fs/promises', 'path', 'path/posix', 'os', 'crypto', 'child_process', 'process', 'buffer', 'url', 'util'],
  ...['assert', 'assert/strict', 'events', 'timers', 'timers/promises', 'perf_hooks', 'module'],
]);

/** Imported for their side effect only, which synth does without. */
export const ignoredPackages: ReadonlySet<string> = new Set(['source-map-support/register', 'source-map-support', 'reflect-metadata/lite']);

/** `cdk8s 2.70.106, constructs 10.8.1` for messages. */
export function describeProvided({ versions }: ProvidedPackages): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
