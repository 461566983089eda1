// Opens the synthesizer a command asked for: children of this process, or those of a synth server. Which one does not show in what it gives.
import { createLocalSynthesizer, type LocalSynthesizer, type LocalSynthesizerOptions } from './local-synthesizer.ts';

/** A synthesizer over child processes, ready to work. Throws OperatorError `SynthUnavailable`. */
export async function openSynthesizer(options: LocalSynthesizerOptions = {}): Promise<LocalSynthesizer> {
  const synthesizer = createLocalSynthesizer(options);
  try {
    await synthesizer.ready();
    return synthesizer;
  } catch (error) {
    await synthesizer.close();
    throw error;
  }
}
