import type { Mistake } from '../errors.ts';
import { readDocument } from '../fleet/document.ts';
import { type PinSettings, PinsFile } from '../fleet/settings-pins.ts';
import type { PinFormat } from './format.ts';
import { formatFor } from './formats.ts';
import { markedFormatFor } from './marked.ts';
import { isBelowPattern } from './path-pattern.ts';
import { patternFormat } from './pattern.ts';
import type { PinPolicy } from './policy.ts';

/** What a repository may carry at its top to say what becomes of its pins. */
export const REPOSITORY_FILE = '.ingot.yaml';

/** Reads a repository's own file. With a mistake in it nothing is known of what the repository wants. */
export function parseRepositoryFile(
  text: string,
): { readonly settings: PinSettings } | { readonly mistakes: readonly Mistake[] } {
  const { value, mistakes } = readDocument({ path: REPOSITORY_FILE, text }, PinsFile);
  return value === undefined ? { mistakes } : { settings: value };
}

export interface PinRules {
  /** How a file is read; `undefined` for one that is not worth it, or that nobody wants touched. */
  formatFor(path: string): PinFormat | undefined;
  policyOf(path: string, repository: string): Partial<PinPolicy>;
}

/** @param settings those of the fleet first, those of the repository over them */
export function createPinRules(settings: readonly PinSettings[]): PinRules {
  const marked = settings.flatMap((each) => each.marked);
  const isMarked = (path: string) => marked.some((pattern) => isBelowPattern(path, pattern));
  const own = [...settings.flatMap(({ patterns }) => patterns).map(patternFormat), markedFormatFor(isMarked)];
  const ignored = settings.flatMap(({ ignore }) => ignore);
  return {
    formatFor(path) {
      return ignored.some((pattern) => isBelowPattern(path, pattern)) ? undefined : formatFor(path, own);
    },
    policyOf(path, repository) {
      const said = settings.flatMap(({ policy, rules }) => [
        policy,
        ...rules.filter((rule) => applies(rule, path, repository)).map((rule) => rule.policy),
      ]);
      return Object.assign({}, ...said);
    },
  };
}

function applies({ files, images }: PinSettings['rules'][number], path: string, repository: string): boolean {
  const isFile = files === undefined || files.some((pattern) => isBelowPattern(path, pattern));
  const isImage = images === undefined || images.some((name) => repository === name || repository.endsWith(`/${name}`));
  return isFile && isImage;
}
