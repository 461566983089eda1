// Keys of annotations and how much all annotations of an object may hold.
import { isJsonObject } from '../../model/json.ts';
import { memberPath } from '../json-path.ts';
import type { ObjectRule, Problem } from '../rule.ts';
import { checkQualifiedName } from './qualified-name.ts';

/** Kubernetes' limit on the keys and values of all annotations of one object together. */
const maximumBytes = 256 * 1024;

/** Annotation keys are qualified names, and all annotations together have at most 256 KiB. */
export const checkAnnotations: ObjectRule = ({ metadata }) => {
  const annotations = metadata['annotations'];
  if (!isJsonObject(annotations)) return [];
  const entries = Object.entries(annotations);
  const problems = entries.flatMap(([key]) =>
    checkQualifiedName(key.toLowerCase(), 'annotation key', memberPath('.metadata.annotations', key)),
  );
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0);
  return bytes <= maximumBytes ? problems : [...problems, tooLarge(bytes)];
};

function tooLarge(bytes: number): Problem {
  return {
    code: 'ObjectTooLarge',
    message: `annotations hold ${bytes} bytes, at most ${maximumBytes} are allowed`,
    field: '.metadata.annotations',
    hint: 'move the content into a ConfigMap',
  };
}
