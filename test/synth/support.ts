// Commits made of literals, and the one check most tests of synth go through.
import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { type Finding, formatFinding } from '../../operator/model/finding.ts';
import type { JsonObject, JsonValue } from '../../operator/model/json.ts';
import { formatPosition } from '../../operator/model/manifest.ts';
import type { EntryKind, Snapshot, SnapshotEntry } from '../../operator/model/snapshot.ts';
import type { Synthesizer, SynthResult } from '../../operator/synth/ports.ts';

/** Content of a path: text, bytes, or something that is no file. */
export type Content = string | Uint8Array | { readonly kind: Exclude<EntryKind, 'file' | 'executable'> };
/** A commit by its paths. */
export type Files = Readonly<Record<string, Content>>;

/** A commit that lives in memory. */
export function commitOf(files: Files): Snapshot {
  const bytes = new Map<string, Uint8Array>();
  const entries = new Map<string, SnapshotEntry>();
  for (const path of Object.keys(files).sort()) {
    const content = files[path] as Content;
    const isFile = typeof content === 'string' || content instanceof Uint8Array;
    const blob = isFile ? Buffer.from(content as string) : Buffer.from('target');
    bytes.set(path, blob);
    entries.set(path, { oid: createHash('sha1').update(blob).digest('hex'), kind: isFile ? 'file' : content.kind });
  }
  return {
    revision: { ...person, sha: '1'.repeat(40), date: '2026-01-01T00:00:00Z', subject: 'test', parents: [] },
    ref: 'refs/heads/main',
    entries,
    read: async (path) => {
      const content = bytes.get(path);
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return content;
    },
  };
}
const person = { author: 'A', authorEmail: 'a@example.com', committer: 'A' };

/** What a synth is asked for. */
export interface Ask {
  readonly files: Files;
  readonly path?: string;
  readonly entry?: string;
  readonly inputs?: JsonValue;
}

/** Synthesizes a commit of literals. */
export function synthesize(synthesizer: Synthesizer, { files, path = '.', entry, inputs }: Ask): Promise<SynthResult> {
  const request = {
    snapshot: commitOf(files),
    path,
    ...(entry === undefined ? {} : { entry }),
    ...(inputs === undefined ? {} : { inputs }),
  };
  return synthesizer.synthesize(request, AbortSignal.timeout(60_000));
}

/** `Kind namespace/name` of each object, in order. */
export function names(result: SynthResult): string[] {
  return result.objects.map(({ object }) => {
    const { name, namespace } = (object['metadata'] ?? {}) as JsonObject;
    return `${object['kind']} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  });
}

/** `Kind name < file:line:column < file:line:column` of each object. */
export function origins(result: SynthResult): string[] {
  return result.objects.map(({ object, origin }) => {
    const { name } = (object['metadata'] ?? {}) as JsonObject;
    return [`${object['kind']} ${name}`, ...origin.frames.map(formatPosition)].join(' < ');
  });
}

/** `Code file:line:column: message; hint` of each finding. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.map((finding) => `${finding.code} ${formatFinding(finding)}`);
}

/** Fails with the findings in sight when there are any. */
export function expectNoFindings(result: SynthResult): void {
  expect(findingLines(result.findings)).toEqual([]);
}

/** The smallest app around some code in the constructor of its chart. */
export function appWith(code: string, imports = ''): string {
  return `import { App, Chart, ApiObject } from 'cdk8s';
${imports}
const app = new App();
const chart = new Chart(app, 'chart');
const configMap = (name: string, data: Record<string, string>) =>
  new ApiObject(chart, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
${code}
app.synth();
`;
}

/** `data` of the only object. */
export function dataOf(result: SynthResult): unknown {
  expectNoFindings(result);
  expect(result.objects).toHaveLength(1);
  return result.objects[0]?.object['data'];
}
