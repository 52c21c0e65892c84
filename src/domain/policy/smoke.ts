import type { PolicyCheck } from './check.ts';

/** Every smoke test passed. There is no level: a test that may fail is not worth writing. */
export const smokeCheck: PolicyCheck = {
  id: 'smoke',
  run: ({ platforms }) =>
    platforms.flatMap(({ platform, smoke }) =>
      smoke.results
        .filter(({ passed }) => !passed)
        .map(({ name, message }) => ({
          check: 'smoke',
          level: 'block' as const,
          platform,
          subject: 'smoke',
          message: `the test "${name}" failed${message === undefined ? '' : `: ${message}`}`,
        })),
    ),
};
