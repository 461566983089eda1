// A command line as a person types it, through the table of commands and with the real kubeconfig; what it wrote is recorded.
import { Command } from 'commander';
import { lazyCommands } from '../../operator/commands.ts';
import { type Recording, recordTerminal } from '../cli/recording.ts';
import { kubeconfigPath } from './cluster.ts';

/** Runs `setpoint …words`. Words with spaces are given as a list. */
export async function setpoint(
  words: string | readonly string[],
  { kubeconfig = kubeconfigPath(), recording = recordTerminal() }: { readonly kubeconfig?: string; readonly recording?: Recording } = {},
): Promise<Recording> {
  const [name = '', ...others] = typeof words === 'string' ? words.split(' ') : words;
  const command = lazyCommands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  const program = new Command('setpoint').exitOverride();
  await command.register(program, recording);
  await program.parseAsync([name, ...others, '--kubeconfig', kubeconfig], { from: 'user' });
  return recording;
}
