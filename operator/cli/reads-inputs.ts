// Whether an app's code reads inputs, by the files that its synth read.
import type { Snapshot } from '../model/snapshot.ts';

const importsInputs = /\binputs\b[^;'"]*\bfrom\s*['"]@setpoint\/constructs['"]/;

/** The first of these files that imports `inputs`; undefined when none does. */
export async function fileReadingInputs(snapshot: Snapshot, filesRead: readonly string[]): Promise<string | undefined> {
  for (const file of filesRead) {
    const { kind } = snapshot.entries.get(file) ?? {};
    if ((kind !== 'file' && kind !== 'executable') || !/\.[cm]?[jt]s$/.test(file)) continue;
    if (importsInputs.test(Buffer.from(await snapshot.read(file)).toString('utf8'))) return file;
  }
  return undefined;
}
