import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareRpm } from '../../../src/domain/packages/rpm-version.ts';
import { exec } from '../../../src/lib/exec.ts';
import { createRandom } from '../../support/random.ts';

const PIECES = ['0', '1', '9', '10', '09', '00', '2', 'a', 'B', 'z', 'rc', '~', '~~', '^', '^^', '+', '.', '_', 'el9'];
const ALPHABET = '0123456789abzAZ~^+._';

/** Pairs that are near each other, so that each rule decides some of them. */
function pairs(count: number, seed: number): (readonly [string, string])[] {
  const random = createRandom(seed);
  const pick = <T>(items: ArrayLike<T>) => items[Math.floor(random() * items.length)]!;
  const pieces = (most: number) => Array.from({ length: Math.floor(random() * most) }, () => pick(PIECES)).join('');
  const version = () => {
    const epoch = random() < 0.3 ? `${pick('0129')}:` : '';
    return `${epoch}${pick('0123')}${pieces(6)}${random() < 0.6 ? `-${pick(PIECES)}${pieces(3)}` : ''}`;
  };
  const changed = (text: string) => {
    const at = text.indexOf(':') + 2 + Math.floor(random() * (text.length - 1));
    return text.slice(0, at) + pick(ALPHABET) + text.slice(at + (random() < 0.5 ? 1 : 0));
  };
  return Array.from({ length: count }, () => {
    const first = version();
    return [first, random() < 0.7 ? changed(first) : version()] as const;
  });
}

describe('the order of rpm versions', () => {
  test.each([
    ['1.0-1', '1.0-1', 0],
    ['0:1.0-1', '1.0-1', 0],
    ['1:0.1-1', '9.9-1', 1],
    ['1.0~rc1-1', '1.0-1', -1],
    ['1.0^git1-1', '1.0-1', 1],
    ['1.0^git1-1', '1.0.1-1', -1],
    ['1.0-1', '1.0-1.el9', -1],
    ['1.10-1', '1.9-1', 1],
    ['1.a-1', '1.1-1', -1],
    ['1_0-1', '1.0-1', 0],
    ['1.0', '1.0-1', -1],
    ['20240203999999999999999999-1', '20240203999999999999999998-1', 1],
  ])('%s against %s is %i', (a, b, expected) => {
    expect(Math.sign(compareRpm(a, b))).toBe(expected);
    expect(Math.sign(compareRpm(b, a))).toBe(expected === 0 ? 0 : -expected);
  });

  test("is that of rpm's own library on 100,000 pairs", async () => {
    const cases = pairs(100_000, 1);
    const directory = await mkdtemp(join(tmpdir(), 'ingot-rpm-version-'));
    const list = join(directory, 'pairs');
    await writeFile(list, cases.map((pair) => `${pair.join(' ')}\n`).join(''));
    const script = `for line in io.lines("${list}") do
      local at = line:find(" "); io.stdout:write(rpm.vercmp(line:sub(1, at - 1), line:sub(at + 1)), "\\n")
    end`;

    const { stdout, stderr } = await exec('rpm', ['--eval', `%{lua: ${script} }`], { timeout: 60_000 });
    await rm(directory, { recursive: true });

    expect(stderr).toBe('');
    const said = stdout.toString().trim().split('\n').map(Number);
    expect(said).toHaveLength(cases.length);
    const wrong = cases.filter(([a, b], index) => Math.sign(compareRpm(a, b)) !== said[index]);
    expect(wrong).toEqual([]);
    expect(new Set(said)).toEqual(new Set([-1, 0, 1]));
  });
});
