import { platformOf } from '../platform.ts';
import type { PolicyCheck } from './check.ts';

/** Every declared platform is there, and is what it says. */
export const platformsCheck: PolicyCheck = {
  id: 'platforms',
  run({ declared, platforms }, { platforms: level }) {
    if (level === 'off') return [];
    const finding = { check: 'platforms', level, subject: 'platforms' } as const;
    const missing = declared.filter((platform) => !platforms.some((facts) => facts.platform === platform));
    const wrong = platforms.filter(({ platform, config }) => platformOf(config) !== platform);
    return [
      ...missing.map((platform) => ({ ...finding, platform, message: 'the platform is declared, but was not built' })),
      ...wrong.map(({ platform, config }) => ({
        ...finding,
        platform,
        message: `its config says that it is for ${platformOf(config)}`,
      })),
    ];
  },
};
