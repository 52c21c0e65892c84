import { readFile } from 'node:fs/promises';
import type { Digest } from '../domain/digest.ts';
import { renderDockerfile } from '../domain/dockerfile/render.ts';
import { FactoryError } from '../domain/errors.ts';
import { SCRATCH } from '../domain/fleet/manager.ts';
import type { Fleet, Image, ImageInput } from '../domain/fleet/model.ts';
import { suggestion } from '../domain/fleet/nearest.ts';

export interface RenderOptions {
  readonly fleet: Fleet;
  readonly json?: boolean;
  /** Line of the result. */
  readonly print: (line: string) => void;
  /** Line about the result, not part of it. */
  readonly note: (line: string) => void;
  /** What the input points to now; undefined when it is not there, or could not be asked. */
  readonly resolve: (input: ImageInput) => Promise<Digest | undefined>;
}

/**
 * `ingot render IMAGE`: the Dockerfile that a build of the image uses.
 * @returns the exit code: 4 when the digest of an input is not known
 * @throws FactoryError `usage` when the fleet has no such image
 */
export async function render(name: string, options: RenderOptions): Promise<number> {
  const { fleet, print, note } = options;
  const image = findImage(name, fleet);
  const pins = await Promise.all(image.inputs.map(async (input) => ({ input, digest: await options.resolve(input) })));
  const { dockerfile, contextFiles } = await dockerfileOf(image, fleet, pins[0]?.digest);
  if (options.json === true) {
    const inputs = pins.map(({ input, digest }) => ({
      role: input.role,
      written: input.written,
      digest: digest ?? null,
    }));
    print(JSON.stringify({ image: name, kind: image.recipe.kind, dockerfile, contextFiles, inputs }, null, 2));
  } else {
    print(dockerfile.trimEnd());
    if (image.recipe.kind === 'own') for (const { input, digest } of pins) note(pinLine(input, digest));
  }
  const unknown = pins.filter(({ digest }) => digest === undefined);
  for (const { input } of unknown) note(`# the digest of ${input.written} is not known: ${whyUnknown(input)}`);
  return unknown.length === 0 ? 0 : 4;
}

function findImage(name: string, { images }: Fleet): Image {
  const image = images.find((candidate) => candidate.name === name);
  if (image !== undefined) return image;
  const names = images.map((candidate) => candidate.name);
  throw new FactoryError(`the fleet has no image "${name}"; ${suggestion(name, names) ?? 'see images/'}`, {
    code: 'usage',
  });
}

async function dockerfileOf(
  image: Image,
  { settings }: Fleet,
  digest: Digest | undefined,
): Promise<{ dockerfile: string; contextFiles: readonly string[] }> {
  const { recipe } = image;
  if (recipe.kind === 'own')
    return { dockerfile: await readFile(recipe.dockerfile, 'utf8'), contextFiles: ['context/'] };
  const written = image.inputs[0]?.written ?? SCRATCH;
  const base = digest === undefined || written.includes('@') ? written : `${written}@${digest}`;
  return renderDockerfile({ ...image, recipe }, settings, { base });
}

function pinLine({ written }: ImageInput, digest: Digest | undefined): string {
  return `# ${written} is pinned to ${digest ?? 'nothing yet'}`;
}

function whyUnknown({ source }: ImageInput): string {
  return 'golden' in source ? `${source.golden} is not released yet` : 'its registry has none, or did not answer';
}
