// `-o json` and `-o yaml`: values for machines. Nothing is left out and nothing is added.
import { escapeSerialized } from './escape-control.ts';

/** How a command prints its data. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** Formats of commands that list or get. */
export const outputFormats: readonly OutputFormat[] = ['table', 'wide', 'json', 'yaml'];

/** A value as indented JSON or as YAML, ending with a line break. */
export async function formatStructured(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${escapeSerialized(JSON.stringify(value, undefined, 2))}\n`;
  const { stringify } = await import('yaml');
  return escapeSerialized(stringify(value, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false }));
}
