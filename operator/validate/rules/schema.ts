// The object against the schema of its kind. Compiling and explaining are in ../schema/.
import type { ObjectRule } from '../rule.ts';

/** Every field is known, has the right type and none that is required is missing. `status` is not the author's and is not looked at. */
export const checkSchema: ObjectRule = ({ object, schema }) => {
  if (schema === undefined) return [];
  const { status: _, ...declared } = object;
  return schema(declared);
};
