// Two constructs that declare one object: the second would silently overwrite the first.
import { formatPosition } from '../../model/manifest.ts';
import type { Member, SetRule } from '../rule.ts';

/** Every object is declared once, whatever version of its group it is written in. Reported on the later declaration, naming both. */
export const checkDuplicates: SetRule = (members) => {
  const first = new Map<Member['key'], Member>();
  return members.flatMap((member) => {
    const other = first.get(member.key);
    if (other === undefined) {
      first.set(member.key, member);
      return [];
    }
    const versions = other.ref.apiVersion === member.ref.apiVersion ? '' : `, as ${other.ref.apiVersion} and as ${member.ref.apiVersion}`;
    const message = `declared twice${versions}, by ${describe(other)} and by ${describe(member)}`;
    return [{ index: member.index, problem: { code: 'DuplicateObject', message, hint: 'rename or remove one of them' } }];
  });
};

function describe({ origin }: Member): string {
  const [frame] = origin.frames;
  const name = origin.constructPath === '' ? 'an unnamed construct' : origin.constructPath;
  return frame === undefined ? name : `${name} (${formatPosition(frame)})`;
}
