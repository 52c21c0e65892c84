import type { ImageChange, Pin, PinFormat } from '../../src/domain/bump/format.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { type Reference, repositoryOf } from '../../src/domain/reference.ts';

const OTHER: Digest = `sha256:${'5'.repeat(64)}`;

/**
 * Moves every pin of a real file to another version and digest, and back.
 * @returns how many pins moved, and what went wrong, in words
 */
export function roundTrip(format: PinFormat, content: Uint8Array): { moved: number; problems: readonly string[] } {
  const problems: string[] = [];
  const pins = format.findPins(content, () => true);
  let moved = 0;
  const versions = Map.groupBy(pins, ({ reference }) => versionKey(reference));
  for (const [key, same] of versions) {
    const { reference } = same[0]!;
    const [there, back] = changes(reference);
    if (there === undefined || back === undefined) {
      const pinned = pinFloating(format, content, reference, pins);
      moved += pinned.moved;
      problems.push(...pinned.problems);
      continue;
    }
    const once = format.bump(content, there);
    if (once.pins.length === 0) {
      const unsafe = once.left.every(({ reason }) => reason === 'unsafe');
      if (once.left.length === 0 || !unsafe) problems.push(`${key} is found, and neither moved nor reported`);
      continue;
    }
    moved += once.pins.length;
    if (Buffer.compare(format.bump(once.content, there).content, once.content) !== 0)
      problems.push(`${key} moves twice`);
    // Where one image has several versions in a file, all of them moved to the one.
    const isOnly = pins.every((pin) => versionKey(pin.reference) === key || nameOf(pin) !== nameOf(same[0]!));
    const returned = format.bump(once.content, back).content;
    if (isOnly && Buffer.compare(returned, content) !== 0) problems.push(`${key} does not come back`);
    if (linesOf(once.content).length !== linesOf(content).length) problems.push(`${key} adds or removes lines`);
  }
  return { moved, problems };
}

/** Gives a digest to a tag that has none; without it again, the file is what it was. */
function pinFloating(
  format: PinFormat,
  content: Uint8Array,
  reference: Reference,
  all: readonly Pin[],
): ReturnType<typeof roundTrip> {
  const repository = repositoryOf(reference);
  const { tag } = reference;
  if (tag === undefined) return { moved: 0, problems: [] };
  // All tags of the image: none of them is to become a version.
  const channels = all.filter((pin) => nameOf(pin) === repository).flatMap((pin) => pin.reference.tag ?? []);
  const policy = { update: 'minor', float: 'pin', adopt: 'off' } as const;
  const change = { repository, line: '0', version: '0.0.1', digest: OTHER, channels, policy };
  const { content: pinned, pins, left } = format.bump(content, change);
  const problems: string[] = [];
  const without = Buffer.from(pinned).toString('utf8').replaceAll(`@${OTHER}`, '');
  if (Buffer.compare(Buffer.from(without), content) !== 0)
    problems.push(`${repository}:${tag} changes more than it adds`);
  if (pins.length === 0 && left.length === 0)
    problems.push(`${repository}:${tag} is found, and neither moved nor reported`);
  return { moved: pins.length, problems };
}

/** To a version and a digest that nothing in the file names, and to where it was. */
function changes(reference: Reference): [ImageChange, ImageChange] | [] {
  const { tag, digest } = reference;
  const repository = repositoryOf(reference);
  const isVersion = tag !== undefined && /^\d+(\.\d+){1,2}$/.test(tag);
  if (digest === undefined && !isVersion) return [];
  const [major] = (tag ?? '').split('.');
  const line = isVersion ? major! : '0';
  const whole = isVersion ? [...tag.split('.'), '0', '0'].slice(0, 3).join('.') : '0.0.0';
  const next = isVersion ? `${major}.${Number(whole.split('.')[1]) + 1}.${Number(whole.split('.')[2]) + 7}` : '0.0.1';
  const channels = tag === undefined || isVersion ? [] : [tag];
  const common = { repository, line, channels };
  return [
    { ...common, version: next, digest: OTHER },
    { ...common, version: whole, digest: digest ?? OTHER, back: true },
  ];
}

function nameOf({ reference }: Pin): string {
  return repositoryOf(reference);
}

function versionKey(reference: Reference): string {
  return `${repositoryOf(reference)}:${reference.tag ?? ''}@${reference.digest ?? ''}`;
}

function linesOf(content: Uint8Array): string[] {
  return Buffer.from(content).toString('utf8').split('\n');
}
