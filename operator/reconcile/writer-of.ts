// The writer of one Application's objects: it heeds what spec.sync says about fields that others decide.
import { createIgnoringWriter } from '../apply/ignoring-writer.ts';
import type { ObjectWriter } from '../apply/ports.ts';
import type { Look } from './look.ts';

/** Writes, and dry-runs, as the Application's rules want it. */
export function writerOf({ application, parts }: Look): ObjectWriter {
  return createIgnoringWriter(parts.writer, application.spec.sync.ignoreDifferences);
}
