import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../src/lib/exec.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLI = join(ROOT, 'src/cli.ts');
const PAGES = ['docs/runbook.md', 'docs/operation.md'].map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');

interface Written {
  /** `runs show` */
  readonly verb: string;
  readonly options: readonly string[];
  readonly text: string;
}

/** Commands in spans of code and in blocks. */
function written(): readonly Written[] {
  const spans = [...PAGES.matchAll(/`(ingot [^`]+)`/g), ...PAGES.matchAll(/^(ingot .+?)(?: {2,}#.*)?$/gm)];
  return spans.map(([, text = '']) => {
    const words = text.split(/\s+/).slice(1);
    const verbs = words.slice(0, ['runs', 'pulls', 'token', 'notify', 'keys'].includes(words[0]!) ? 2 : 1);
    return { text, verb: verbs.join(' '), options: words.filter((word) => /^--\w/.test(word)) };
  });
}

test('every command in the runbook is one, with options that it has', async () => {
  const commands = written();
  const verbs = [...new Set(commands.map(({ verb }) => verb))];

  const helps = await Promise.all(
    verbs.map(async (verb) => {
      const { exitCode, stdout } = await exec(process.execPath, [CLI, ...verb.split(' '), '--help']);
      return [verb, exitCode === 0 ? stdout.toString() : ''] as const;
    }),
  );

  const help = new Map(helps);
  expect(commands.length).toBeGreaterThan(20);
  const wrong = commands.filter(({ verb, options }) => {
    const usage = help.get(verb)!;
    return (
      !usage.startsWith(`Usage: ingot ${verb} `) || options.some((option) => !new RegExp(`${option}\\b`).test(usage))
    );
  });
  expect(wrong.map(({ text }) => text)).toEqual([]);
});
