import { expect, test } from 'vitest';
import type { Reason } from '../../src/domain/staleness.ts';
import { channelsOf, nextVersion } from '../../src/domain/version.ts';

const moved: Reason[] = [{ kind: 'base-changed', name: 'debian:12', to: 'sha256:0' }];
const edited: Reason[] = [{ kind: 'definition-changed', parts: ['image.yaml#env'] }];

test.each<[string, string[], Reason[], string]>([
  ['12', [], moved, '12.0.0'],
  ['3.11', [], moved, '3.11.0'],
  ['12', ['12.0.0', '12', 'stable'], moved, '12.0.1'],
  ['12', ['12.0.9', '12.0.10', '12.0.2'], moved, '12.0.11'],
  ['12', ['12.0.4'], edited, '12.1.0'],
  ['12', ['12.1.4', '13.0.0', '11.9.9', '120.1.1'], moved, '12.1.5'],
  ['3.11', ['3.11.4', '3.110.9', '3.1.11'], edited, '3.11.5'],
])('line %s after %j is followed by the next free version', (line, taken, reasons, expected) => {
  expect(nextVersion(line, taken, reasons)).toBe(expected);
});

test('the tag of the line moves last, since it says which release is in use', () => {
  expect(channelsOf('12', '12.4.1', ['edge', 'stable'])).toEqual(['edge', 'stable', '12.4', '12']);
  expect(channelsOf('3.11', '3.11.7', [])).toEqual(['3.11']);
});
