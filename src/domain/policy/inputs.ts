import { parseReference, type Reference } from '../reference.ts';
import type { PolicyCheck } from './check.ts';

/**
 * Each upstream is named by a tag with a version number: `latest` and its like change their major version under
 * one's feet. Images of the fleet have their line instead of a tag.
 */
export const inputsCheck: PolicyCheck = {
  id: 'inputs',
  run: ({ inputs }, { inputs: level }) =>
    level === 'off'
      ? []
      : inputs.flatMap((name) => {
          const problem = name.startsWith('golden/') ? undefined : problemOf(parseReference(name));
          const message = `the input ${name} ${problem}; name a line such as 12-slim`;
          return problem === undefined ? [] : [{ check: 'inputs', level, subject: 'inputs', package: name, message }];
        }),
};

function problemOf({ tag, digest }: Reference): string | undefined {
  if (tag === 'latest') return 'uses the tag latest';
  if (tag === undefined) return digest === undefined ? 'has no tag, which means latest' : undefined;
  return hasVersion(tag) ? undefined : 'has a tag without a version number';
}

/** Digits that are part of an architecture's name are no version. */
const ARCHITECTURES = /amd64|x86[-_]64|arm64(?:v8|-v8)?|aarch64|arm32v[5-7]|i386|s390x|ppc64le|riscv64|mips64le/gi;

function hasVersion(tag: string): boolean {
  return /\d/.test(tag.replace(ARCHITECTURES, ''));
}
