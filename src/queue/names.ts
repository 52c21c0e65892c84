import { type Platform, platformSlug } from '../domain/platform.ts';

/** Queue names hold no colon (BullMQ refuses it). One queue a platform, so that a native worker can take its own. */
export const queueName = {
  build: (platform: Platform) => `build-${platformSlug(platform)}`,
  release: 'release',
  propose: 'propose',
  /** Looks of planners, what follows releases, schedules. */
  plan: 'plan',
  follow: 'follow',
  schedules: 'schedules',
} as const;

/** Keys of one fleet in a Redis that several share. */
export function queuePrefix(fleet: string): string {
  return `ingot-${fleet}`;
}

/** Job ids are made from the inputs, so that the same run asked for twice is one run. No colon, not digits alone. */
export const jobId = {
  release: (image: string, key: string) => `${image}-${key}`,
  build: (image: string, key: string, platform: Platform) => `${image}-${key}-${platformSlug(platform)}`,
} as const;
