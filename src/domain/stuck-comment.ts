import type { PinVersion } from './bump/format.ts';
import type { Digest } from './digest.ts';
import { code, table } from './markdown.ts';

interface Stuck {
  readonly image: string;
  readonly version: string;
  readonly digest: Digest;
  readonly branch: string;
  readonly pins: readonly { readonly path: string; readonly line: number; readonly to: PinVersion }[];
}

/** What is said on a pull request whose branch somebody else works on. `mark` tells whether it was said already. */
export function renderStuck({ image, version, digest, branch, pins }: Stuck): { mark: string; body: string } {
  const mark = `<!-- ingot: stuck ${digest} -->`;
  const rows = pins.map(({ path, line, to }) => [code(`${path}:${line}`), code(written(to))]);
  const what = `${image} ${version} is released. Others have commits on ${code(branch)}, so ingot leaves it alone.`;
  const remedy = `Make these changes here, or delete the branch to have ingot propose them anew:`;
  return { mark, body: `${mark}\n${what} ${remedy}\n\n${table(['place', 'would become'], rows)}\n` };
}

function written({ tag, digest }: PinVersion): string {
  return [tag === undefined ? '' : `:${tag}`, digest === undefined ? '' : `@${digest}`].join('');
}
