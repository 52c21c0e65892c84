import { z } from 'zod';
import type { ForgeCall } from '../forge.ts';
import { type Place, segment } from '../place.ts';
import { statusOf } from '../rest.ts';
import { requireMergeable, untilMergeable } from '../web-pulls.ts';
import { Protection, type Pull, Styles, toPullRequest } from './answers.ts';

/** What it says while it has not looked whether a change merges. */
const EARLY = /try again later/i;

type Find = (number: number, call: ForgeCall | undefined) => Promise<Pull>;

export function createMerger(place: Place, find: Find) {
  const { rest, path, name } = place;
  return {
    async merge(number: number, call: ForgeCall = {}) {
      const pull = toPullRequest(await find(number, call), name);
      if (pull.state === 'merged') return pull;
      requireMergeable(pull);
      const request = { Do: await styleOf(place, call) };
      await untilMergeable(place, call, EARLY, () =>
        rest.send('POST', `${path}/pulls/${number}/merge`, request, z.unknown(), call),
      );
      return toPullRequest(await find(number, call), name);
    },
    async mergeWhenReady(number: number, call: ForgeCall = {}) {
      const { base } = await find(number, call);
      const protection = await rest.get(`${path}/branches/${segment(base.ref)}`, Protection, call);
      // Where nothing is required it would be merged at once, which nobody asked for.
      if (!protection.enable_status_check && !protection.required_approvals) return false;
      const request = { Do: await styleOf(place, call), merge_when_checks_succeed: true };
      try {
        await rest.send('POST', `${path}/pulls/${number}/merge`, request, z.unknown(), call);
        return true;
      } catch (error) {
        if (statusOf(error) === 409) return true; // asked for before
        if (statusOf(error) === 405) return false;
        throw error;
      }
    },
  };
}

/** A merge commit where the repository allows it, else its own way. */
async function styleOf({ rest, path }: Place, call: ForgeCall): Promise<string> {
  const styles = await rest.get(path, Styles, call);
  return styles.allow_merge_commits === false ? (styles.default_merge_style ?? 'merge') : 'merge';
}
