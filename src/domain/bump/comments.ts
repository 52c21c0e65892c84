import { parseReference } from '../reference.ts';
import { type PinPolicy, parseUpdate } from './policy.ts';

/** What `# ingot: …` beside a pin says. */
export interface PinComment {
  readonly policy: Partial<PinPolicy>;
  /** Full name of the image that the place below is of: `# ingot: ghcr.io/acme/golden/debian`. */
  readonly image?: string;
  /** What of it is not understood. */
  readonly mistake?: string;
}

const COMMENT = /(?:^|\s)(?:#|\/\/|;|--|\/\*|<!--|rem\s)\s*ingot:\s*(.*?)\s*(?:\*\/|-->)?\s*$/i;
const WHOLE_LINE = /^\s*(?:#|\/\/|;|--|\/\*|<!--|rem\s)/i;
const REMEDY =
  'write hold, patch, minor, major, digest-only, a range (~12.4), float=pin, adopt=report or adopt=propose';

/** The comment of one line, wherever in the line after `from` it stands. */
export function commentOf(line: string, from = 0): PinComment | undefined {
  const said = COMMENT.exec(line.slice(from).replace(/\r$/, ''))?.[1];
  return said === undefined ? undefined : parseComment(said);
}

/** Words between commas. */
export function parseComment(said: string): PinComment {
  const words = said.split(',').map((word) => word.trim());
  const results = words.map(parseWord);
  const policy = Object.assign({}, ...results.map((result) => ('policy' in result ? result.policy : {})));
  const image = results.find((result) => 'image' in result)?.image;
  const wrong = results.find((result) => 'mistake' in result)?.mistake;
  return { policy, ...(image && { image }), ...(wrong !== undefined && { mistake: wrong }) };
}

type WordMeaning = { policy: Partial<PinPolicy> } | { image: string } | { mistake: string };

function parseWord(word: string): WordMeaning {
  const update = parseUpdate(word);
  if (update !== undefined) return { policy: { update } };
  const [, key, value] = /^(float|adopt)\s*[=:]\s*(\S+)$/.exec(word) ?? [];
  if (key === 'float' && (value === 'keep' || value === 'pin')) return { policy: { float: value } };
  if (key === 'adopt' && (value === 'off' || value === 'report' || value === 'propose'))
    return { policy: { adopt: value } };
  const image = word.includes('/') ? imageName(word) : undefined;
  return image === undefined ? { mistake: `"ingot: ${word}" beside it is not understood; ${REMEDY}` } : { image };
}

function imageName(word: string): string | undefined {
  try {
    const { registry, repository, tag, digest } = parseReference(word);
    return tag === undefined && digest === undefined ? `${registry}/${repository}` : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is said about a place that stands on some lines: behind it on the line, or in the comment lines right above.
 * @param lines of the text
 * @param at numbers of the lines, from 1, with the column behind the place, from 0
 */
export function commentsBeside(
  lines: readonly string[],
  at: readonly { readonly line: number; readonly column: number }[],
): PinComment | undefined {
  const found = at.flatMap(({ line, column }) => {
    const own = commentOf(lines[line - 1] ?? '', column);
    return [...commentsAbove(lines, line), ...(own === undefined ? [] : [own])];
  });
  if (found.length === 0) return undefined;
  const mistake = found.find((each) => each.mistake !== undefined)?.mistake;
  const image = found.find((each) => each.image !== undefined)?.image;
  return {
    policy: Object.assign({}, ...found.map(({ policy }) => policy)),
    ...(image && { image }),
    ...(mistake !== undefined && { mistake }),
  };
}

function commentsAbove(lines: readonly string[], line: number): PinComment[] {
  const found: PinComment[] = [];
  for (let above = line - 2; above >= 0 && WHOLE_LINE.test(lines[above]!); above--) {
    const comment = commentOf(lines[above]!);
    if (comment !== undefined) found.unshift(comment);
  }
  return found;
}
