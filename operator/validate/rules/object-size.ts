// How large an object may be. Limits on parts of an object are with these parts.
import type { ObjectRule } from '../rule.ts';

/** etcd's default limit on one request. */
const maximumBytes = 1.5 * 1024 * 1024;

/** The object fits into one etcd request. */
export const checkObjectSize: ObjectRule = ({ bytes }) =>
  bytes <= maximumBytes
    ? []
    : [
        {
          code: 'ObjectTooLarge',
          message: `the object has ${bytes} bytes, the API server stores at most ${maximumBytes}`,
          hint: 'split it into several objects',
        },
      ];
