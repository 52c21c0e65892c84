import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareApk, isFuzzyApk } from '../../../src/domain/packages/apk-version.ts';

/** `a < b` a line, as apk-tools 3.0.6 orders them; recorded, since Debian has no apk to ask. */
const RECORDED = readFileSync(join(import.meta.dirname, '../../fixtures/apk/versions.txt'), 'utf8')
  .trim()
  .split('\n');

describe('the order of apk versions', () => {
  test.each([
    ['1.0-r0', '1.0-r0', 0],
    ['1.0-r9', '1.0-r10', -1],
    ['1.0_alpha1-r0', '1.0_beta-r0', -1],
    ['1.0_rc1-r0', '1.0-r0', -1],
    ['1.0_p1-r0', '1.0-r0', 1],
    ['1.0_git20240101-r0', '1.0-r0', 1],
    ['1.0a-r0', '1.0-r5', 1],
    ['1.10-r0', '1.9-r0', 1],
    ['1.01', '1.1', -1],
    ['1.0.1-r0', '1.0-r0', 1],
    ['20240203999999999999999999', '20240203999999999999999998', 1],
  ])('%s against %s is %i', (a, b, expected) => {
    expect(Math.sign(compareApk(a, b))).toBe(expected);
    expect(Math.sign(compareApk(b, a))).toBe(expected === 0 ? 0 : -expected);
  });

  test('is what apk said', () => {
    const ours = RECORDED.map((line) => {
      const [a = '', , b = ''] = line.split(' ');
      return `${a} ${'<=>'[Math.sign(compareApk(a, b)) + 1]} ${b}`;
    });

    expect(ours).toEqual(RECORDED);
  });

  test('knows beginnings of versions', () => {
    expect(isFuzzyApk('1.2.3-r0', '1.2')).toBe(true);
    expect(isFuzzyApk('1.20-r0', '1.2')).toBe(false);
    expect(isFuzzyApk('1.2', '1.2.3')).toBe(false);
  });
});
