// The rules in the order in which their findings are reported. To add one: a file in rules/, a line here, a code in model/catalogue.ts, a row in docs/errors.md.
import type { ObjectRule, SetRule } from './rule.ts';
import { checkAnnotations } from './rules/annotations.ts';
import { checkDependencyCycles } from './rules/dependency-cycles.ts';
import { checkDuplicates } from './rules/duplicates.ts';
import { checkLabels } from './rules/labels.ts';
import { checkObjectName } from './rules/object-name.ts';
import { checkObjectSize } from './rules/object-size.ts';
import { checkSchema } from './rules/schema.ts';

/** Rules about each object by itself. */
export const objectRules: readonly ObjectRule[] = [checkObjectName, checkLabels, checkAnnotations, checkObjectSize, checkSchema];

/** Rules about all objects of a commit together. */
export const setRules: readonly SetRule[] = [checkDuplicates, checkDependencyCycles];
