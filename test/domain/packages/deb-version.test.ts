import { describe, expect, test } from 'vitest';
import { compareDebian } from '../../../src/domain/packages/deb-version.ts';
import { exec } from '../../../src/lib/exec.ts';
import { createRandom } from '../../support/random.ts';

const PIECES = ['0', '1', '9', '10', '09', '00', '2', 'a', 'B', 'z', 'rc', '~', '~~', '+', '.', '-', 'deb', 'nmu', 'b'];
const ALPHABET = '0123456789abzAZ~+.';

/** Pairs that are near each other, so that each rule decides some of them. */
function pairs(count: number, seed: number): (readonly [string, string])[] {
  const random = createRandom(seed);
  const pick = <T>(items: ArrayLike<T>) => items[Math.floor(random() * items.length)]!;
  const version = () => {
    const epoch = random() < 0.3 ? `${pick('0129')}:` : '';
    const middle = Array.from({ length: Math.floor(random() * 6) }, () => pick(PIECES)).join('');
    return `${epoch}${pick('0123')}${middle}${random() < 0.5 ? `-${pick(PIECES)}${pick(PIECES)}` : ''}`;
  };
  const changed = (text: string) => {
    const at = text.indexOf(':') + 2 + Math.floor(random() * (text.length - 1));
    return text.slice(0, at) + pick(ALPHABET) + text.slice(at + (random() < 0.5 ? 1 : 0));
  };
  return Array.from({ length: count }, () => {
    const first = version().replace(/-$/, '-1');
    return [first, random() < 0.7 ? changed(first) : version().replace(/-$/, '-1')] as const;
  });
}

describe('the order of Debian versions', () => {
  test.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.0-0', 0],
    ['0:1.0', '1.0', 0],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0', '1.0+b1', -1],
    ['1.0a', '1.0+', -1],
    ['1:0.1', '9.9', 1],
    ['1.10', '1.9', 1],
    ['1.0-1', '1.0-1+deb12u1', -1],
    ['1.0-1-2', '1.0-2', 1],
    ['20240203999999999999999999', '20240203999999999999999998', 1],
  ])('%s against %s is %i', (a, b, expected) => {
    expect(Math.sign(compareDebian(a, b))).toBe(expected);
    expect(Math.sign(compareDebian(b, a))).toBe(expected === 0 ? 0 : -expected);
  });

  test("is that of dpkg's own module on 100,000 pairs", async () => {
    const cases = pairs(100_000, 1);
    const script = 'use Dpkg::Version; while (<STDIN>) { my ($a, $b) = split; print version_compare($a, $b), "\\n" }';
    const input = cases.map((pair) => `${pair.join(' ')}\n`).join('');

    const { stdout, stderr } = await exec('perl', ['-e', script], { input, timeout: 60_000 });

    expect(stderr).toBe('');
    const said = stdout.toString().trim().split('\n').map(Number);
    expect(said).toHaveLength(cases.length);
    const wrong = cases.filter(([a, b], index) => Math.sign(compareDebian(a, b)) !== said[index]);
    expect(wrong).toEqual([]);
    expect(new Set(said)).toEqual(new Set([-1, 0, 1]));
  });

  test('is that of dpkg --compare-versions', async () => {
    const cases = pairs(3_000, 2);
    const relation = (difference: number) => (difference < 0 ? 'lt' : difference > 0 ? 'gt' : 'eq');
    const input = cases.map(([a, b]) => `${a} ${relation(compareDebian(a, b))} ${b}\n`).join('');
    const script =
      'while read -r a r b; do dpkg --compare-versions "$a" "$r" "$b" || echo "not $a $r $b"; done; echo end';

    const { stdout } = await exec('sh', ['-c', script], { input, timeout: 60_000 });

    expect(stdout.toString()).toBe('end\n');
  });
});
