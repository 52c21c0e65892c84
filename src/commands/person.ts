import { userInfo } from 'node:os';

/** Who does something by hand: as they say, else the user of this machine. A claim, as in a commit of git. */
export function personOf(by: string | undefined): string {
  return by ?? userInfo().username;
}
