import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDebianVersions } from '../../../scripts/demo/debian-version.ts';
import { exec } from '../../../src/lib/exec.ts';

const ORDERED = [
  '1.0~rc1-1',
  '1.0~rc1-2',
  '1.0-1~deb12u1',
  '1.0-1',
  '1.0-1+b1',
  '1.0-1+deb12u1',
  '1.0-1+deb12u10',
  '1.0a-1',
  '1.0+git-1',
  '1.0.1-1',
  '1.10-1',
  '1:0.5-1',
  '1:0.5-10',
];

describe('the order of Debian versions', () => {
  it('is as people expect', () => {
    expect(ORDERED.toReversed().sort(compareDebianVersions)).toEqual(ORDERED);
  });

  it('takes leading zeros and a missing revision for nothing', () => {
    expect(compareDebianVersions('1.010', '1.10-0')).toBe(0);
  });

  it("is dpkg's", async () => {
    const part = fc.stringMatching(/^[0-9]{1,3}([a-z~+.][a-z0-9~+.]{0,5})?$/);
    const version = fc
      .tuple(fc.option(fc.nat(2), { nil: undefined }), part, fc.option(part, { nil: undefined }))
      .map(
        ([epoch, upstream, revision]) =>
          `${epoch === undefined ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`,
      );

    await fc.assert(
      fc.asyncProperty(version, version, async (a, b) => {
        const order = compareDebianVersions(a, b);
        const relation = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
        expect((await exec('dpkg', ['--compare-versions', a, relation, b])).exitCode).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
