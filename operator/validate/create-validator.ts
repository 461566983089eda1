// Checks synthesized objects against a cluster's catalogue and the rules, and makes manifests of them. Reads nothing: the catalogue is a value.
import type { Finding } from '../model/finding.ts';
import { isJsonObject, type JsonObject, sha256 } from '../model/json.ts';
import { type Manifest, type Origin, positionOf, type SynthesizedObject } from '../model/manifest.ts';
import { keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { SchemaCatalog } from './ports.ts';
import { type ResolvedObject, resolveManifest } from './resolve-manifest.ts';
import type { Member, Problem, Subject } from './rule.ts';
import { explainUnknownKind } from './rules/known-kind.ts';
import { checkObjectShape } from './rules/object-shape.ts';
import { objectRules, setRules } from './rules.ts';
import { createSchemaCompiler } from './schema/compile-schema.ts';
import { shippedKinds, withShippedKinds } from './shipped-kinds.ts';
import { createVerdictCache } from './verdict-cache.ts';

/** What is validated, and for whom. */
export interface ValidateRequest {
  readonly objects: readonly SynthesizedObject[];
  readonly catalog: SchemaCatalog;
  readonly application: { readonly namespace: string; readonly name: string };
  /** Namespace of namespaced objects that name none. */
  readonly destinationNamespace: string;
}

/** Manifests of the objects without errors, in the order of the objects, and everything the author should change. */
export interface ValidateResult {
  readonly manifests: readonly Manifest[];
  readonly findings: readonly Finding[];
}

/** Validates; remembers compiled schemas and the verdicts on objects it has seen. */
export interface Validator {
  validate(request: ValidateRequest): ValidateResult;
}

/** What is known of one object by itself. */
interface Verdict {
  readonly ref?: ObjectRef;
  readonly problems: readonly Problem[];
  readonly resolved?: ResolvedObject;
}

interface ReadObject {
  readonly object: JsonObject;
  /** Digest of its JSON text; '' when it cannot be written as text. */
  readonly digest: string;
  readonly bytes: number;
}

/** A validator that remembers nothing yet. Safe to share between applications and clusters. */
export function createValidator(): Validator {
  const compiler = createSchemaCompiler();
  const verdicts = createVerdictCache<Verdict>();
  const shipped = createVerdictCache<ReturnType<typeof shippedKinds>>();

  const catalogOf = (objects: readonly ReadObject[], catalog: SchemaCatalog): SchemaCatalog => {
    const definitions = objects.filter(
      ({ object }) => object['kind'] === 'CustomResourceDefinition' && object['apiVersion'] === 'apiextensions.k8s.io/v1',
    );
    return withShippedKinds(
      catalog,
      definitions.flatMap((definition) => shipped.get(definition.digest, () => shippedKinds(definition))),
    );
  };

  const judge = (read: ReadObject, catalog: SchemaCatalog, request: ValidateRequest): Verdict => {
    const { apiVersion, kind } = read.object;
    const info = typeof apiVersion === 'string' && typeof kind === 'string' ? catalog.kind(apiVersion, kind) : undefined;
    const schema = info === undefined ? undefined : catalog.schema(info.apiVersion, info.kind);
    if (info === undefined || read.digest === '') return judgeWithoutKind(read.object, catalog, request);
    const { application, destinationNamespace } = request;
    const context = [
      read.digest,
      schema?.version ?? '',
      info.namespaced ? destinationNamespace : '/',
      application.namespace,
      application.name,
    ];
    return verdicts.get(context.join('\n'), () => {
      const shape = checkObjectShape(read.object);
      if (shape.length > 0) return { problems: shape };
      const ref = refOf(read.object, info.namespaced, destinationNamespace);
      const isSecret = ref.apiVersion === 'v1' && ref.kind === 'Secret';
      const metadata = isJsonObject(read.object['metadata']) ? read.object['metadata'] : {};
      const subject: Subject = {
        object: read.object,
        metadata,
        ref,
        bytes: read.bytes,
        schema: schema && compiler.check(schema, isSecret),
      };
      const problems = objectRules.flatMap((rule) => rule(subject));
      return { ref, problems, ...(problems.length === 0 ? { resolved: resolveManifest(read.object, ref, application) } : {}) };
    });
  };

  return {
    validate(request) {
      const objects = request.objects.map(({ object }) => readObject(object));
      const catalog = catalogOf(objects, request.catalog);
      return assemble(
        request.objects,
        objects.map((read) => judge(read, catalog, request)),
      );
    },
  };
}

/** What was read of objects that somebody still holds: a commit that changes one of thousands reads one. */
const readBefore = new WeakMap<JsonObject, ReadObject>();

function readObject(object: JsonObject): ReadObject {
  const known = readBefore.get(object);
  if (known !== undefined) return known;
  try {
    const text = JSON.stringify(object);
    const read = { object, digest: sha256(text), bytes: Buffer.byteLength(text) };
    readBefore.set(object, read);
    return read;
  } catch {
    // Nested deeper than the stack is high: checkObjectShape says so.
    return { object, digest: '', bytes: 0 };
  }
}

function judgeWithoutKind(object: JsonObject, catalog: SchemaCatalog, request: ValidateRequest): Verdict {
  const shape = checkObjectShape(object);
  if (shape.length > 0) return { problems: shape };
  const ref = refOf(object, true, request.destinationNamespace);
  return { ref, problems: [explainUnknownKind(ref, catalog)] };
}

/** Assumes: the object has passed checkObjectShape. */
function refOf(object: JsonObject, namespaced: boolean, destinationNamespace: string): ObjectRef {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const named = metadata['namespace'];
  const namespace = typeof named === 'string' && named !== '' ? named : destinationNamespace;
  return {
    apiVersion: String(object['apiVersion']),
    kind: String(object['kind']),
    namespace: namespaced ? namespace : '',
    name: String(metadata['name']),
  };
}

/** Adds what depends on all objects together: duplicates, dependencies and positions. */
function assemble(objects: readonly SynthesizedObject[], verdicts: readonly Verdict[]): ValidateResult {
  const members = verdicts.flatMap((verdict, index): readonly Member[] => {
    const synthesized = objects[index];
    if (verdict.ref === undefined || synthesized === undefined) return [];
    return [{ index, ref: verdict.ref, key: keyOf(verdict.ref), origin: synthesized.origin, dependsOn: synthesized.dependsOn }];
  });
  const together = setRules.flatMap((rule) => rule(members));
  const byIndex = Map.groupBy(together, ({ index }) => index);
  const keys = new Map<number, ObjectKey>(members.map((member) => [member.index, member.key]));
  const findings: Finding[] = [];
  const manifests: Manifest[] = [];
  objects.forEach(({ origin, dependsOn }, index) => {
    const verdict = verdicts[index];
    const problems = [...(verdict?.problems ?? []), ...(byIndex.get(index) ?? []).map(({ problem }) => problem)];
    for (const problem of problems) findings.push(toFinding(problem, origin, verdict?.ref));
    if (verdict?.resolved === undefined || byIndex.has(index)) return;
    const dependencies = new Set(dependsOn.flatMap((dependency) => keys.get(dependency) ?? []));
    manifests.push({ ...verdict.resolved, origin, dependsOn: [...dependencies].filter((key) => key !== verdict.resolved?.key).sort() });
  });
  return { manifests, findings };
}

function toFinding(problem: Problem, origin: Origin, ref: ObjectRef | undefined): Finding {
  const position = positionOf(origin);
  return {
    ...{ code: problem.code, severity: 'error', message: problem.message },
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    ...(position === undefined ? {} : { position }),
    ...(origin.frames.length > 1 ? { frames: origin.frames } : {}),
    ...(origin.constructPath === '' ? {} : { constructPath: origin.constructPath }),
    ...(ref === undefined ? {} : { object: ref }),
    ...(problem.field === undefined ? {} : { field: problem.field }),
  } as Finding;
}
