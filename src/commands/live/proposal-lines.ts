import type { ProposeEnd, ProposeLine } from '../../queue/dispatcher.ts';

const IN_ORDER = ['none', 'unchanged'];
/** So many that wait for the same are told one by one. */
const FEW = 3;

/** What was done about the pull requests of an image, one line each; many that wait for the same are one line. */
export function proposalLines({ image, results, forecasts = [] }: ProposeEnd): string[] {
  const worth = results.filter(({ action, stuck }) => stuck ?? !IN_ORDER.includes(action));
  const crowds = [...Map.groupBy(worth.filter(isWaiting), ({ message }) => message)].filter(
    ([, { length }]) => length > FEW,
  );
  const crowded = new Set(crowds.flatMap(([, lines]) => lines));
  return [
    ...worth.filter((line) => !crowded.has(line)).map((line) => lineOf(image, line)),
    ...crowds.map(([message, { length }]) => `${image}: ${length} pull requests waiting (${message})`),
    ...forecasts.map((line) => `${image}: still to come: ${line}`),
  ];
}

function isWaiting({ action, number }: ProposeLine): boolean {
  return action === 'waiting' && number === undefined;
}

function lineOf(
  image: string,
  { repository, base, action, number, title, message, troubles = [] }: ProposeLine,
): string {
  const where = base === undefined ? repository : `${repository} (${base})`;
  const what = [number === undefined ? [] : `#${number}`, title ?? []].flat().join(' ');
  const more = [message, ...troubles].filter(Boolean).map((each) => ` (${each})`);
  return `${image}: pull request in ${where} ${action}${what && `: ${what}`}${more.join('')}`;
}
