import { expect, test } from 'vitest';
import { workersText } from '../../src/commands/service-tables.ts';
import { at, lowDisk, worker } from '../support/workers.ts';

test('"ingot workers" says which of them builds nothing', () => {
  const text = workersText([worker('a', { lowDisk })], Date.parse(at));

  expect(text).toContain('builds nothing: only 1.0 GiB of disk are free, a build needs 2.0 GiB');
});
