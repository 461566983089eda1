// docs/cli.md and the commands stay in step: every command has a section, every flag is named in it, and no section is about a command that is gone.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { lazyCommands } from '../../operator/commands.ts';
import { recordTerminal } from './recording.ts';

const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const sections = new Map(
  [...text.matchAll(/^## setpoint (\S+)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(([, name = '', body = '']) => [name, body]),
);

/** Flags that every command that reads a cluster has; the section "Flags of all commands" explains them once. */
const shared = ['--namespace', '--kubeconfig', '--context', '--output', '--all-namespaces'];

/** Long names of the flags of a command and of its subcommands. */
function flagsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? ''), ...command.commands.flatMap(flagsOf)];
}

describe('docs/cli.md', () => {
  test('has one section per command, in the order of the help', () => {
    expect([...sections.keys()]).toEqual(lazyCommands.map(({ name }) => name));
  });

  test.each(lazyCommands)('names every flag of $name and shows an example', async (command) => {
    const program = new Command();
    await command.register(program, recordTerminal());
    const section = sections.get(command.name) ?? '';
    const flags = program.commands.flatMap(flagsOf).filter((flag) => !shared.includes(flag));
    expect(flags.filter((flag) => !section.includes(flag))).toEqual([]);
    expect(section).toMatch(new RegExp(`^\\$ (npx setpoint|setpoint) ${command.name}`, 'm'));
  });

  test('explains the flags that commands share', () => {
    expect(shared.filter((flag) => !text.includes(`\`${flag}\``) && !text.includes(`, ${flag}`))).toEqual([]);
  });
});
