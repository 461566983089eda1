// From the newest commit to checked objects: fetch → synthesize → validate, each skipped where nothing it depends on changed. Writes nothing.
import { type Finding, hasErrors } from '../model/finding.ts';
import { digestUnder, rulesFor } from '../model/ignore-rules.ts';
import { canonicalJson, type JsonValue } from '../model/json.ts';
import type { Manifest, SynthesizedObject } from '../model/manifest.ts';
import type { KindRef } from '../model/object-ref.ts';
import { type Revision, shortSha } from '../model/revision.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { SynthRequest, SynthResult } from '../synth/ports.ts';
import type { SchemaCatalog } from '../validate/ports.ts';
import type { ApplicationMemory, Desired } from './application-memory.ts';
import type { Look } from './look.ts';
import { outcomeOf } from './outcome-of.ts';
import type { Parts } from './parts.ts';
import { sameInputs } from './same-inputs.ts';
import { sourceOf } from './source-of.ts';

/** What a commit declares, or why it is refused. */
export type Declaration =
  | { readonly kind: 'accepted'; readonly desired: Desired }
  | { readonly kind: 'rejected'; readonly revision: Revision; readonly ref: string; readonly findings: readonly Finding[] };

/** The newest commit of an Application's source. Throws OperatorError. */
export async function fetchSnapshot({ application, memory, parts, slot, signal }: Look): Promise<Snapshot> {
  const source = sourceOf(application, parts.secrets);
  // A slow Git server keeps nobody else from working.
  const snapshot = await slot.park(() => parts.sources.snapshot(source, signal));
  const rewrite = parts.sources.takeRewrite(source);
  if (rewrite !== undefined) parts.emit({ type: 'history-rewritten', application: memory.key, ...rewrite });
  const { revision } = snapshot;
  if (memory.seenRevision !== revision.sha) {
    const previous = memory.seenRevision === undefined ? {} : { previous: memory.seenRevision };
    parts.emit({ type: 'revision-seen', application: memory.key, revision, ...previous });
    memory.seenRevision = revision.sha;
  }
  return snapshot;
}

/** Synthesizes and validates a commit. Throws OperatorError; an author's mistakes are the declaration's findings. */
export async function declareObjects(look: Look, snapshot: Snapshot): Promise<Declaration> {
  const { application, memory, parts } = look;
  const result = await synthesize(look, snapshot);
  const { revision, ref } = snapshot;
  if (hasErrors(result.findings)) return { kind: 'rejected', revision, ref, findings: result.findings };
  const catalog = await loadCatalog(memory, result.objects, parts);
  const destinationNamespace = application.spec.destination?.namespace ?? application.namespace;
  const { ignoreDifferences } = application.spec.sync;
  const rules = canonicalJson((ignoreDifferences ?? []) as unknown as JsonValue);
  const stamp = `${destinationNamespace}\n${rules}\n${stampOf(catalog, result.objects)}`;
  if (memory.checked?.result === result && memory.checked.stamp === stamp) {
    return { kind: 'accepted', desired: { revision, ref, ...memory.checked.objects } };
  }
  const checked = parts.validator.validate({ objects: result.objects, catalog, application, destinationNamespace });
  const found = checked.findings;
  const manifests = checked.manifests.map((manifest): Manifest => {
    return { ...manifest, digest: digestUnder(manifest.digest, rulesFor(ignoreDifferences, manifest.ref)) };
  });
  const findings = [...result.findings, ...found];
  if (hasErrors(findings)) {
    memory.kindsMayHaveChanged ||= findings.some((finding) => finding.code === 'UnknownKind');
    return { kind: 'rejected', revision, ref, findings };
  }
  const objects = { manifests, byKey: new Map(manifests.map((manifest) => [manifest.key, manifest])), findings };
  memory.checked = { result, stamp, objects };
  return { kind: 'accepted', desired: { revision, ref, ...objects } };
}

/** When a synth under way is told of in the status. */
const slowSynthMilliseconds = 2_000;

/** The last result when everything it was made from is the same in this commit, a new one otherwise. */
async function synthesize(look: Look, snapshot: Snapshot): Promise<SynthResult> {
  const { application, memory, parts, slot, signal } = look;
  const { path, entry, inputs } = application.spec.source;
  const wanted: Omit<SynthRequest, 'snapshot' | 'previous'> = {
    path,
    ...(entry === undefined ? {} : { entry }),
    ...(inputs === undefined ? {} : { inputs }),
  };
  const request = canonicalJson(wanted);
  const last = memory.rendered;
  const reusable =
    last?.request === request && !ranOutOfTime(last.result) && sameInputs(last.result.filesRead, last.entries, snapshot.entries);
  const run = (): Promise<SynthResult> =>
    parts.synthesizer.synthesize({ snapshot, ...wanted, previous: last?.result.objects ?? [] }, signal);
  const runInTurn = (): Promise<SynthResult> => slot.park(() => parts.synthLanes.run(application.namespace, run));
  const result = reusable ? last.result : await toldWhenSlow(look, snapshot, runInTurn());
  memory.rendered = { entries: snapshot.entries, request, result };
  const seconds = reusable ? 0 : result.seconds;
  parts.emit({ type: 'synthesized', application: memory.key, objects: result.objects.length, seconds, cached: reusable });
  return result;
}

/** While a synth takes long, or waits long for its turn, the status says which commit is being rendered. */
async function toldWhenSlow<Result>(look: Look, { revision, ref }: Snapshot, synth: Promise<Result>): Promise<Result> {
  // What is applied already is no news: after a restart nothing changes for who looks.
  if (look.memory.status?.sync?.revision === revision.sha) return synth;
  const over = new AbortController();
  const message = `rendering commit ${shortSha(revision.sha)}`;
  const tell = (): Promise<void> => look.report(outcomeOf(look, { kind: 'applying', message }, { revision, ref }));
  const telling = look.parts.clock.sleep(slowSynthMilliseconds, AbortSignal.any([over.signal, look.signal])).then(tell, () => undefined);
  try {
    return await synth;
  } finally {
    over.abort();
    await telling;
  }
}

/** Whether another run may end otherwise: how long an app takes depends on the load of the machine too. */
function ranOutOfTime({ findings }: SynthResult): boolean {
  return findings.some(({ code }) => code === 'SynthTimeout');
}

async function loadCatalog(memory: ApplicationMemory, objects: readonly SynthesizedObject[], parts: Parts): Promise<SchemaCatalog> {
  const refresh = memory.kindsMayHaveChanged;
  const catalog = await parts.catalogs.load(kindsOf(objects), refresh);
  memory.kindsMayHaveChanged = false;
  return catalog;
}

/** The kinds that objects name; what names none is validation's to report. */
function kindsOf(objects: readonly SynthesizedObject[]): readonly KindRef[] {
  const kinds = new Map<string, KindRef>();
  for (const { object } of objects) {
    const { apiVersion, kind } = object;
    if (typeof apiVersion === 'string' && typeof kind === 'string') kinds.set(`${apiVersion}|${kind}`, { apiVersion, kind });
  }
  return [...kinds.values()];
}

/** Equal text, equal verdict of validation on the same objects. */
function stampOf(catalog: SchemaCatalog, objects: readonly SynthesizedObject[]): string {
  return kindsOf(objects)
    .map(
      ({ apiVersion, kind }) =>
        `${apiVersion}|${kind}|${catalog.schema(apiVersion, kind)?.version ?? '-'}|${catalog.kind(apiVersion, kind)?.namespaced}`,
    )
    .join('\n');
}
