import type { PolicySettings } from '../fleet/model.ts';
import { formatBytes } from '../size.ts';
import type { PlatformFacts, PolicyFinding } from '../verdict.ts';
import type { PolicyCheck } from './check.ts';

/** Compressed size against the budget, and against the release in use. */
export const sizeCheck: PolicyCheck = {
  id: 'size',
  run: ({ platforms, previousSize }, { size }) =>
    size.level === 'off'
      ? []
      : platforms.flatMap((facts) => [
          ...tooBig(facts, size),
          ...grewTooMuch(facts, previousSize?.[facts.platform], size),
        ]),
};

function tooBig({ platform, size }: PlatformFacts, { level, maxBytes }: PolicySettings['size']): PolicyFinding[] {
  if (size <= maxBytes) return [];
  const message = `it is ${formatBytes(size)} compressed, the budget is ${formatBytes(maxBytes)}`;
  return [{ check: 'size', level, platform, subject: 'size', message }];
}

function grewTooMuch(
  { platform, size }: PlatformFacts,
  before: number | undefined,
  { level, growthPercent }: PolicySettings['size'],
): PolicyFinding[] {
  if (before === undefined || before === 0 || size <= before * (1 + growthPercent / 100)) return [];
  const percent = Math.ceil((size / before - 1) * 100);
  const sizes = `from ${formatBytes(before)} to ${formatBytes(size)}`;
  const message = `it grew by ${percent} % ${sizes}, ${growthPercent} % against the release in use are allowed`;
  return [{ check: 'size', level, platform, subject: 'size', message }];
}
