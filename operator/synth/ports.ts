// What the synth stage offers. Where it runs (child process here, Deployment of its own in a cluster) does not show.
import type { Finding } from '../model/finding.ts';
import type { JsonValue } from '../model/json.ts';
import type { SynthesizedObject } from '../model/manifest.ts';
import type { Snapshot } from '../model/snapshot.ts';

/** One folder of one commit to turn into objects. */
export interface SynthRequest {
  readonly snapshot: Snapshot;
  /** Folder of the app within the commit, normalized; '.' for the root. */
  readonly path: string;
  /** Overrides what cdk8s.yaml says. */
  readonly entry?: string;
  /** Read in code by `import { inputs } from '@setpoint/constructs'`. */
  readonly inputs?: JsonValue;
  /** Objects of an earlier result: those that did not change are given back as the same values. */
  readonly previous?: readonly SynthesizedObject[];
}

/** Objects in the order `cdk8s synth` would print them, and what the author should change. */
export interface SynthResult {
  readonly objects: readonly SynthesizedObject[];
  readonly findings: readonly Finding[];
  /**
   * Every path of the commit the result depends on (files read, folders listed with a trailing `/`, probes that found nothing).
   * A commit in which all of these are the same gives the same result.
   */
  readonly filesRead: readonly string[];
  readonly seconds: number;
}

/** Turns commits into objects in a process without credentials, network or environment. */
export interface Synthesizer {
  /** Throws OperatorError `SynthCrashed`, `SynthUnavailable`; an author's mistakes are findings. */
  synthesize(request: SynthRequest, signal: AbortSignal): Promise<SynthResult>;
  close(): Promise<void>;
}
