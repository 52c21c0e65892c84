import { shortDigest } from '../domain/digest.ts';
import type { Reference } from '../domain/reference.ts';
import { type Pause, type Standing, standingOf } from '../domain/standing.ts';
import { readMarks } from '../flows/marks.ts';
import type { Call, Registry } from '../registry/registry.ts';

/** What people decided about a repository, or about the fleet. */
export async function readStanding(
  registry: Registry,
  repository: Reference,
  now: string,
  call: Call,
): Promise<Standing> {
  return standingOf(await readMarks(registry, repository, call), now);
}

/** A line for each decision, for people. `digest`: what is in use of the image. */
export function standingLines(subject: string, { paused, quarantined }: Standing, digest?: string): string[] {
  const bad = quarantined.map((each) => {
    const name = each.version ?? shortDigest(each.digest);
    const use = each.digest === digest ? ', and still in use' : '';
    return `${subject}: ${name} is quarantined by ${each.by}${use}: ${each.why}`;
  });
  return [...(paused === undefined ? [] : [`${subject}: ${pauseLine(paused)}`]), ...bad];
}

function pauseLine({ by, why, until }: Pause): string {
  return `paused by ${by}${until === undefined ? '' : ` until ${until}`}: ${why}`;
}
