import { z } from 'zod';
import { type ForgeCall, ForgeError, type NewPull } from '../forge.ts';
import type { Place } from '../place.ts';
import { troubleOf } from '../pull-options.ts';
import { Labels } from './answers.ts';

/** The grey of a label that nobody chose a colour for. */
const LABEL_COLOUR = '#ededed';

/** Labels are numbers here: those of the repository and its organisation; what is not there is made. */
export async function labelIds(place: Place, names: readonly string[], call: ForgeCall) {
  const { rest, path, name } = place;
  const ids: number[] = [];
  const troubles: string[] = [];
  const there = new Map<string, number>();
  try {
    for (const source of [`/orgs/${name.split('/')[0]}/labels`, `${path}/labels`])
      for (const label of await allLabels(place, source, call)) there.set(label.name, label.id);
  } catch (error) {
    return { ids, troubles: [troubleOf('its labels could not be listed', error)] };
  }
  for (const wanted of names) {
    try {
      const body = { name: wanted, color: LABEL_COLOUR };
      ids.push(there.get(wanted) ?? (await rest.send('POST', `${path}/labels`, body, Labels.element, call)).body.id);
    } catch (error) {
      troubles.push(troubleOf(`the label ${wanted} could not be made`, error));
    }
  }
  return { ids, troubles };
}

/** A user has none, and not every token may see those of an organisation. */
async function allLabels({ rest }: Place, source: string, call: ForgeCall) {
  const labels: z.infer<typeof Labels> = [];
  try {
    for await (const page of rest.pages(`${source}?limit=50&page={page}`, Labels, call)) labels.push(...page);
  } catch (error) {
    const isNone = error instanceof ForgeError && ['not-found', 'unauthorised'].includes(error.code);
    if (!isNone || !source.startsWith('/orgs/')) throw error;
  }
  return labels;
}

/** People are asked after it is open: one wrong name would keep it from being opened. @returns what could not be had */
export async function decorate(
  { rest, path }: Place,
  number: number,
  { reviewers = [], assignees = [] }: NewPull,
  call: ForgeCall,
): Promise<string[]> {
  const troubles: string[] = [];
  const attempt = async (what: string, names: readonly string[], send: () => Promise<unknown>) => {
    if (names.length === 0) return;
    await send().catch((error: unknown) => troubles.push(troubleOf(`${what} ${names.join(', ')}`, error)));
  };
  await attempt('no review could be asked of', reviewers, () =>
    rest.send('POST', `${path}/pulls/${number}/requested_reviewers`, { reviewers }, z.unknown(), call),
  );
  await attempt('it could not be assigned to', assignees, () =>
    rest.send('PATCH', `${path}/issues/${number}`, { assignees }, z.unknown(), call),
  );
  return troubles;
}
