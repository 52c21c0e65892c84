import type { ForgeCall, NewPull } from '../forge.ts';
import type { Place } from '../place.ts';
import { troubleOf } from '../pull-options.ts';
import { type Merge, Users } from './answers.ts';

/** Ids of the people that a merge request is opened with, and what could not be had. */
export interface People {
  readonly reviewer_ids?: readonly number[];
  readonly assignee_ids?: readonly number[];
  readonly troubles: readonly string[];
}

/** People are numbers to GitLab. Who is not there keeps no merge request from being opened. */
export async function findPeople({ rest }: Place, wanted: NewPull, call: ForgeCall): Promise<People> {
  const { reviewers = [], assignees = [] } = wanted;
  const troubles: string[] = [];
  const ids = new Map<string, number>();
  for (const name of new Set([...reviewers, ...assignees])) {
    try {
      const [user] = await rest.get(`/users?username=${encodeURIComponent(name)}`, Users, call);
      if (user !== undefined) ids.set(name, user.id);
      else troubles.push(`there is no user ${name}, who was to review it or to have it assigned`);
    } catch (error) {
      troubles.push(troubleOf(`the user ${name} could not be looked up`, error));
    }
  }
  const idsOf = (names: readonly string[]) => names.flatMap((name) => ids.get(name) ?? []);
  const [reviewer_ids, assignee_ids] = [idsOf(reviewers), idsOf(assignees)];
  return {
    ...(reviewer_ids.length > 0 && { reviewer_ids }),
    ...(assignee_ids.length > 0 && { assignee_ids }),
    troubles,
  };
}

/** GitLab leaves out without a word whom the project does not know, and in its free edition all but one. */
export function leftOut(merge: Merge, { reviewer_ids = [], assignee_ids = [] }: People, wanted: NewPull): string[] {
  const missing = (ids: readonly number[], given: Merge['reviewers']) =>
    ids.filter((id) => !given?.some((user) => user.id === id)).length;
  const troubles: string[] = [];
  const why = 'the free edition takes one, and nobody who is no member of the project';
  if (missing(reviewer_ids, merge.reviewers) > 0)
    troubles.push(`no review could be asked of all of ${wanted.reviewers!.join(', ')}: ${why}`);
  if (missing(assignee_ids, merge.assignees) > 0)
    troubles.push(`it could not be assigned to all of ${wanted.assignees!.join(', ')}: ${why}`);
  const unset = (wanted.labels ?? []).filter((label) => !merge.labels?.includes(label));
  if (unset.length > 0)
    troubles.push(`no labels ${unset.join(', ')}: the token's user may not make them in the project`);
  return troubles;
}
