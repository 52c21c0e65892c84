import { dockerfileFormat } from './dockerfile.ts';
import type { PinFormat } from './format.ts';

/** Every kind of file in which pins are looked for. */
export const PIN_FORMATS: readonly PinFormat[] = [dockerfileFormat];

export function formatFor(path: string): PinFormat | undefined {
  return PIN_FORMATS.find((format) => format.isPath(path));
}
