import type { PolicySettings } from '../fleet/model.ts';

/** What is asked of a candidate when ingot.yaml says nothing: block only what a person can mend and nobody wants. */
export const DEFAULT_POLICY: PolicySettings = {
  vulnerabilities: {
    critical: { level: 'block', leewayDays: 0 },
    high: { level: 'warn', leewayDays: 14 },
    medium: { level: 'warn', leewayDays: 30 },
    low: { level: 'off', leewayDays: 0 },
    negligible: { level: 'off', leewayDays: 0 },
    unknown: { level: 'off', leewayDays: 0 },
  },
  user: 'block',
  secrets: 'block',
  inputs: 'block',
  platforms: 'block',
  packages: 'block',
  size: { level: 'block', maxBytes: 1024 * 1024 * 1024, growthPercent: 50 },
  layers: { level: 'warn', max: 25 },
};
