import type { Run } from '../../src/domain/run.ts';

/** What every run has, for tests that mind only how it ended. */
export function bareRun(image: string, ended: Pick<Run, 'id' | 'outcome' | 'summary'>): Run {
  const inputs = `sha256:${'b'.repeat(64)}` as const;
  return { image, inputs, reasons: [], holds: [], platforms: [], steps: [], startedAt: '', ...ended };
}
