import semver from 'semver';

export const LEVELS = ['patch', 'minor', 'major', 'digest-only', 'hold'] as const;
export const FLOATS = ['keep', 'pin'] as const;
export const ADOPTIONS = ['off', 'report', 'propose'] as const;

/** How far a pin goes by itself, or the versions that it may have. */
export type Update = (typeof LEVELS)[number] | { readonly range: string };

/** What a person wants of a pin. */
export interface PinPolicy {
  readonly update: Update;
  /** Whether `latest` or a channel without digest is offered a digest. */
  readonly float: (typeof FLOATS)[number];
  /** Whether an upstream is offered the golden image that takes its place. */
  readonly adopt: (typeof ADOPTIONS)[number];
}

export const DEFAULT_POLICY: PinPolicy = { update: 'minor', float: 'keep', adopt: 'off' };

/** `patch`, `hold` or a range of versions (`~12.4`); `undefined` for anything else. */
export function parseUpdate(text: string): Update | undefined {
  const level = LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  return /^[\d~^<>=]/.test(text) && semver.validRange(text) !== null ? { range: text } : undefined;
}

/** In words: `policy "patch"`, `range ~12.4`. */
export function explainUpdate(update: Update): string {
  return typeof update === 'string' ? `policy "${update}"` : `range ${update.range}`;
}
