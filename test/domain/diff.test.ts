import { expect, test } from 'vitest';
import { diffFindings, diffPackages } from '../../src/domain/diff.ts';
import { debPackage, finding } from '../support/candidate-facts.ts';

test('packages that moved, came and went are told by name', () => {
  const before = [debPackage('perl', '1'), debPackage('gone', '1'), debPackage('same', '1')];
  const after = [debPackage('same', '1'), debPackage('perl', '2'), debPackage('come', '1')];

  expect(diffPackages(before, after)).toEqual([
    { name: 'come', type: 'deb', after: '1' },
    { name: 'gone', type: 'deb', before: '1' },
    { name: 'perl', type: 'deb', before: '1', after: '2' },
  ]);
});

test('a package that is there in two versions is one change', () => {
  expect(diffPackages([debPackage('a', '1'), debPackage('a', '2')], [debPackage('a', '2')])).toEqual([
    { name: 'a', type: 'deb', before: '1, 2', after: '2' },
  ]);
});

test('findings are fixed, new or in both, the worst first', () => {
  const [low, high, critical] = [finding('CVE-1', 'low'), finding('CVE-2', 'high'), finding('CVE-3', 'critical')];
  const moved = finding('CVE-2', 'high', { source: 'openssl' });

  const { fixed, added, remaining } = diffFindings([low, high, critical, low], [moved, critical]);

  expect(fixed).toEqual([high, low]);
  expect(added).toEqual([moved]);
  expect(remaining).toEqual([critical]);
});
