// Keys and values of labels (Kubernetes "Labels and Selectors"), on the object and on the pod template it holds.
import { isJsonObject, type JsonObject } from '../../model/json.ts';
import { memberPath } from '../json-path.ts';
import type { ObjectRule, Problem } from '../rule.ts';
import { checkQualifiedName } from './qualified-name.ts';

const valuePattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** Label keys are qualified names and label values have at most 63 characters of the allowed ones. */
export const checkLabels: ObjectRule = ({ object, metadata }) => [
  ...checkIn(metadata, '.metadata'),
  ...checkIn(metadataAt(object, 'spec', 'template', 'metadata'), '.spec.template.metadata'),
  ...checkIn(metadataAt(object, 'spec', 'jobTemplate', 'spec', 'template', 'metadata'), '.spec.jobTemplate.spec.template.metadata'),
];

function metadataAt(object: JsonObject, ...path: readonly string[]): JsonObject {
  let value: JsonObject = object;
  for (const member of path) {
    const next = value[member];
    if (!isJsonObject(next)) return {};
    value = next;
  }
  return value;
}

function checkIn(metadata: JsonObject, path: string): readonly Problem[] {
  const labels = metadata['labels'];
  if (!isJsonObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const field = memberPath(`${path}.labels`, key);
    return [...checkQualifiedName(key, 'label key', field), ...(typeof value === 'string' ? checkValue(value, field) : [])];
  });
}

function checkValue(value: string, field: string): readonly Problem[] {
  if (value.length > 63) {
    return [
      {
        code: 'InvalidName',
        message: `label value "${value.slice(0, 40)}…" has ${value.length} characters, at most 63 are allowed`,
        field,
      },
    ];
  }
  if (valuePattern.test(value)) return [];
  const hint =
    'allowed are letters, digits, "-", "_" and ".", beginning and ending with a letter or digit; free text belongs in an annotation';
  return [{ code: 'InvalidName', message: `"${value}" is not a valid label value`, field, hint }];
}
