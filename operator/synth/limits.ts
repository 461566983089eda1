// Default limits of a synth. Who changes them passes a part; nothing here reads configuration.
import type { SynthLimits } from './messages.ts';

/** Limits used where none are given. The size of an object is what etcd takes. */
export const defaultLimits: SynthLimits = {
  milliseconds: 10_000,
  memoryMegabytes: 512,
  objects: 20_000,
  outputBytes: 64 * 1_048_576,
  objectBytes: 1.5 * 1_048_576,
  inputBytes: 64 * 1_048_576,
  inputFiles: 10_000,
};

/** How long after the app's own time limit the whole process is killed. */
export const killGraceMilliseconds = 2_000;
