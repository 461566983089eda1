// Whether two synths of the same commit gave the same objects. Nothing an app can reach should make them differ; this is what would tell.
import type { Finding } from '../model/finding.ts';
import { canonicalJson, isJsonObject, type JsonObject } from '../model/json.ts';
import { positionOf, type SynthesizedObject } from '../model/manifest.ts';

/** What differs between two runs, as findings `NonDeterministic`: the first object that does, or the number of objects. */
export function compareRuns(first: readonly SynthesizedObject[], second: readonly SynthesizedObject[]): readonly Finding[] {
  const index = first.findIndex((one, place) => textOf(one) !== textOf(second[place]));
  const differing = first[index];
  if (differing === undefined && first.length === second.length) return [];
  const what =
    first.length === second.length && differing !== undefined ? nameOf(differing.object) : `${first.length} and ${second.length} objects`;
  const position = differing === undefined ? undefined : positionOf(differing.origin);
  return [
    {
      ...{ code: 'NonDeterministic', severity: 'error', message: `two runs gave different output: ${what}` },
      hint: 'remove what differs between runs from the code',
      ...(differing === undefined ? {} : { constructPath: differing.origin.constructPath, frames: differing.origin.frames }),
      ...(position === undefined ? {} : { position }),
    },
  ];
}

/** Order of keys counts as little as it does to the API server. */
function textOf(synthesized: SynthesizedObject | undefined): string {
  return synthesized === undefined ? '' : canonicalJson(synthesized.object);
}

function nameOf({ kind, metadata }: JsonObject): string {
  const { namespace, name } = isJsonObject(metadata) ? metadata : {};
  return `${String(kind)} ${namespace === undefined ? '' : `${String(namespace)}/`}${String(name)}`;
}
