// What a user would do without an operator: the cdk8s command and kubectl, on the same commit of the same repo.
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ManifestRepo } from '../dev/manifest-repo.ts';

const run = promisify(execFile);
const project = path.resolve(import.meta.dirname, '..');
const cdk8s = path.join(project, 'node_modules', 'cdk8s-cli', 'bin', 'cdk8s');

/** Lets the plain cdk8s command find its packages from a work tree, as after `npm install`. */
export function provideModules(repo: ManifestRepo): void {
  symlinkSync(path.join(project, 'node_modules'), path.join(repo.directory, 'node_modules'));
}

/** Seconds of `cdk8s synth` and `kubectl apply --server-side` of the work tree as it is. */
export async function synthAndApply(repo: ManifestRepo, kubectl: string, kubeconfig: string, namespace: string): Promise<number> {
  const options = { cwd: repo.directory, maxBuffer: 256 * 1024 * 1024 };
  const started = performance.now();
  await run(process.execPath, [cdk8s, 'synth', '--output', 'dist'], options);
  await run(
    kubectl,
    [`--kubeconfig=${kubeconfig}`, 'apply', '--server-side', '--force-conflicts', '--field-manager=peer', '-n', namespace, '-f', 'dist'],
    options,
  );
  return (performance.now() - started) / 1000;
}

/** Milliseconds of `cdk8s synth` in a folder that holds these files and nothing else. */
export async function runCdk8s(directory: string, files: Readonly<Record<string, string>>): Promise<number> {
  const typescript =
    '{ "compilerOptions": { "target": "es2022", "module": "commonjs", "esModuleInterop": true, "resolveJsonModule": true } }\n';
  for (const [name, text] of Object.entries({ 'tsconfig.json': typescript, ...files })) writeFileSync(path.join(directory, name), text);
  symlinkSync(path.join(project, 'node_modules'), path.join(directory, 'node_modules'));
  const started = performance.now();
  await run(process.execPath, [cdk8s, 'synth', '--output', 'dist'], { cwd: directory });
  return performance.now() - started;
}
