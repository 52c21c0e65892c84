import { bazelFormat } from './bazel.ts';
import { buildpacksFormat } from './buildpacks.ts';
import { combineFormats } from './combine.ts';
import { dockerfileFormat } from './dockerfile.ts';
import { earthfileFormat } from './earthfile.ts';
import type { PinFormat } from './format.ts';
import { jenkinsfileFormat } from './jenkinsfile.ts';
import { markedFormat } from './marked.ts';
import { quadletFormat } from './quadlet.ts';
import { terraformFormat } from './terraform.ts';

/** Every kind of file in which pins are looked for, without being told. */
export const PIN_FORMATS: readonly PinFormat[] = [
  dockerfileFormat,
  quadletFormat,
  terraformFormat,
  bazelFormat,
  earthfileFormat,
  jenkinsfileFormat,
  buildpacksFormat,
  markedFormat,
];

/**
 * The format of a path, all that fit in one; `undefined` for a file that is not worth reading.
 * @param own formats that a fleet or repository describes for its files
 */
export function formatFor(path: string, own: readonly PinFormat[] = []): PinFormat | undefined {
  const [first, ...more] = [...PIN_FORMATS, ...own].filter((format) => format.isPath(path));
  return first === undefined ? undefined : combineFormats([first, ...more]);
}
