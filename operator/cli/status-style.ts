// Which words of a status are good, under way or bad, as colours. Words themselves come from the status.
import type { Style } from './terminal.ts';

/** Colour of a sync status or a sync's result. */
export function syncStyle(word: string): Style | undefined {
  if (word === 'Synced') return 'green';
  if (word === 'OutOfSync' || word === 'Rejected' || word === 'Failed') return 'red';
  return word === 'Progressing' || word === 'Unknown' ? 'yellow' : undefined;
}

/** Colour of a health state. */
export function healthStyle(word: string): Style | undefined {
  if (word === 'Healthy') return 'green';
  return word === 'Degraded' || word === 'Missing' ? 'red' : 'yellow';
}
