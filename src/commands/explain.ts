import type { App } from '../compose.ts';
import { type Attempt, type ExplainedInput, type Explanation, explainEntry } from '../domain/explain.ts';
import { planFleet } from '../domain/plan.ts';
import { gatherFacts } from '../flows/gather.ts';
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
  const facts = await gatherFacts(app.cycle, options.signal);
  const entry = planFleet(facts).find(({ image }) => image === name)!;
  const explanation = explainEntry(entry, facts);
  if (options.json) output.json(explanation);
  else for (const line of toLines(explanation)) output.line(line);
  return entry.state === 'unknown' ? 4 : 0;
}

function toLines(explanation: Explanation): string[] {
  const { image, verdict, release, inputs, reasons, holds, doubts, updates, attempts } = explanation;
  const created = release?.created === undefined ? '' : `, released ${minute(release.created)}`;
  return [
    `${image}: ${verdict}`,
    '',
    release === undefined ? 'never released' : `in use: ${release.version} (${short(release.digest)}${created})`,
    ...section('stale because', reasons),
    ...section('held because', holds),
    ...section('could not be asked', doubts),
    ...section('inputs', inputs.map(inputLine)),
    ...(updates === undefined
      ? []
      : section('packages', updates.length === 0 ? ['all up to date'] : packageLines(updates))),
    ...section('last attempts', attempts.length === 0 ? ['none that is known'] : attempts.map(attemptLine)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function inputLine({ role, name, before, now, changed, created, firstSeenAt }: ExplainedInput): string {
  const times = [
    ...(created === undefined ? [] : [`made ${minute(created)}`]),
    ...(firstSeenAt === undefined ? [] : [`first seen ${minute(firstSeenAt)}`]),
  ];
  const about = times.length === 0 ? '' : ` (${times.join(', ')})`;
  if (now === undefined) return `${role} ${name}: ${short(before ?? 'not known')}, what it is now is not known`;
  if (!changed) return `${role} ${name}: ${short(now)}, as in the release${about}`;
  return `${role} ${name}: ${before === undefined ? 'new' : short(before)} → ${short(now)}${about}`;
}

function packageLines(updates: NonNullable<Explanation['updates']>): string[] {
  return updates.map(({ name, from, to, security, origin, platforms }) => {
    const kind = security ? 'security update' : 'update';
    return `${name} ${from} → ${to} (${kind} from ${origin}, ${platforms.join(' ')})`;
  });
}

function attemptLine({ id, startedAt, outcome, version, summary }: Attempt): string {
  const [first = ''] = (summary ?? '').split('\n');
  return `${minute(startedAt)} ${outcome}${version === undefined ? '' : ` ${version}`} (run ${id})${first === '' ? '' : `: ${first}`}`;
}

function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

function short(digest: string): string {
  return digest.replace(/^sha256:([0-9a-f]{12}).*$/, '$1');
}
