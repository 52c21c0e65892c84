import type { App } from '../compose.ts';
import { formatMinute } from '../domain/calendar.ts';
import { shortDigest } from '../domain/digest.ts';
import { type Attempt, type ExplainedInput, type Explanation, explainEntry } from '../domain/explain.ts';
import { planFleet } from '../domain/plan.ts';
import { lookAtFacts } from '../flows/gather.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

/** `ingot explain IMAGE`: why it is rebuilt, or why not; nothing is touched. */
export async function explainCommand(
  name: string,
  app: App,
  output: Output,
  options: { json: boolean; signal: AbortSignal },
): Promise<number> {
  requireImages([name], app.fleet.images);
  const facts = await lookAtFacts(app.cycle, options.signal);
  const entry = planFleet(facts).find(({ image }) => image === name)!;
  const explanation = explainEntry(entry, facts);
  if (options.json) output.json(explanation);
  else for (const line of toLines(explanation)) output.line(line);
  return entry.state === 'unknown' ? 4 : 0;
}

function toLines(explanation: Explanation): string[] {
  const { image, verdict, release, inputs, reasons, holds, doubts, notes, updates, attempts } = explanation;
  const created = release?.created === undefined ? '' : `, released ${formatMinute(release.created)}`;
  return [
    `${image}: ${verdict}`,
    '',
    release === undefined ? 'never released' : `in use: ${release.version} (${shortDigest(release.digest)}${created})`,
    ...section('stale because', reasons),
    ...section('held because', holds),
    ...section('could not be asked', doubts),
    ...section('inputs', inputs.map(inputLine)),
    ...section('notes', notes),
    ...(updates === undefined
      ? []
      : section('packages', updates.length === 0 ? ['all up to date'] : packageLines(updates))),
    ...section('last attempts', attempts.length === 0 ? ['none that is known'] : attempts.map(attemptLine)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function inputLine(input: ExplainedInput): string {
  const { role, name, before, now, changed, created, firstSeenAt, tag, tagBefore } = input;
  const times = [
    ...(tag === undefined ? [] : [tagBefore === undefined || tagBefore === tag ? tag : `${tagBefore} → ${tag}`]),
    ...(created === undefined ? [] : [`made ${formatMinute(created)}`]),
    ...(firstSeenAt === undefined ? [] : [`first seen ${formatMinute(firstSeenAt)}`]),
  ];
  const about = times.length === 0 ? '' : ` (${times.join(', ')})`;
  if (now === undefined)
    return `${role} ${name}: ${before === undefined ? 'not known' : shortDigest(before)}, what it is now is not known`;
  if (!changed) return `${role} ${name}: ${shortDigest(now)}, as in the release${about}`;
  return `${role} ${name}: ${before === undefined ? 'new' : shortDigest(before)} → ${shortDigest(now)}${about}`;
}

function packageLines(updates: NonNullable<Explanation['updates']>): string[] {
  return updates.map(({ name, from, to, security, origin, platforms }) => {
    const kind = security ? 'security update' : 'update';
    return `${name} ${from} → ${to} (${kind} from ${origin}, ${platforms.join(' ')})`;
  });
}

function attemptLine({ id, startedAt, outcome, version, summary }: Attempt): string {
  const [first = ''] = (summary ?? '').split('\n');
  return `${formatMinute(startedAt)} ${outcome}${version === undefined ? '' : ` ${version}`} (run ${id})${first === '' ? '' : `: ${first}`}`;
}
