import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { contextKey } from '../domain/dockerfile/pin.ts';
import { proxyArgs, renderDockerfile } from '../domain/dockerfile/render.ts';
import { SOURCES } from '../domain/dockerfile/render-run.ts';
import { FactoryError } from '../domain/errors.ts';
import { SCRATCH } from '../domain/fleet/manager.ts';
import type { BuildSecret, Image, ImageInput, RenderedRecipe, Settings } from '../domain/fleet/model.ts';
import { epochOf, type Inputs, type ResolvedInput } from '../domain/inputs.ts';
import { type Platform, platformSlug } from '../domain/platform.ts';
import { upstreamName } from '../domain/upstream.ts';
import type { BuildDeps, PreparedContext } from '../flows/build.ts';
import { stampByContent } from '../lib/stamp.ts';
import { copyContext } from './copy-context.ts';

export interface ContextOptions {
  readonly settings: Settings;
  /** Folder of ingot.yaml: secret files are relative to it. */
  readonly root: string;
  /** Where the folders of builds are made. */
  readonly workDirectory: string;
  readonly secret: (name: string) => string | undefined;
}

/** Puts what a build needs into a folder of its own, and says what each written image name stands for. */
export function createContextPreparer(options: ContextOptions) {
  return async (image: Image, inputs: Inputs, platform: Platform, sources: Sources): Promise<PreparedContext> => {
    await mkdir(options.workDirectory, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(options.workDirectory, `${image.name}-`));
    const remove = () => rm(folder, { recursive: true, force: true });
    try {
      const secrets = await writeSecrets(image.secrets, join(folder, 'secrets'), options);
      const recipe = await writeRecipe(image, inputs, { folder: join(folder, 'context'), sources }, options);
      const folders = await writeSources(sources, join(folder, 'sources'), inputs);
      const args = { ...proxyArgs(options.settings), ...cacheNamespace(options.settings, platform) };
      return { ...recipe, secrets, args, folders, remove };
    } catch (error) {
      await remove();
      throw error;
    }
  };
}

/** Platforms and fleets on one daemon keep their cache mounts apart; leaves no trace in the image. */
function cacheNamespace({ fleet }: Settings, platform: Platform): Record<string, string> {
  return { BUILDKIT_CACHE_MOUNT_NS: `${fleet}-${platformSlug(platform)}` };
}

type Recipe = Pick<PreparedContext, 'context' | 'dockerfile' | 'target' | 'names'>;

/** Files with the addresses of mirrors, by their paths in the base. */
type Sources = Parameters<BuildDeps['prepare']>[3];

async function writeSources(sources: Sources, folder: string, inputs: Inputs): Promise<Record<string, string>> {
  const files = Object.entries(sources);
  if (files.length === 0) return {};
  for (const [path, text] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await stampByContent(file, epochOf(inputs));
  }
  return { [SOURCES]: folder };
}

interface Place {
  readonly folder: string;
  readonly sources: Sources;
}

async function writeRecipe(image: Image, inputs: Inputs, place: Place, options: ContextOptions): Promise<Recipe> {
  const { folder } = place;
  await mkdir(folder, { recursive: true });
  const { recipe } = image;
  if (recipe.kind === 'rendered') return writeRendered({ ...image, recipe }, inputs, place, options.settings);
  const names = Object.fromEntries(image.inputs.map((input) => [input.written, resolvedOf(input, inputs)]));
  const target = recipe.target === undefined ? {} : { target: recipe.target };
  await copyContext({ from: recipe.context, to: folder, epoch: epochOf(inputs) });
  return { context: folder, dockerfile: recipe.dockerfile, names, ...target };
}

async function writeRendered(
  image: Image & { recipe: RenderedRecipe },
  inputs: Inputs,
  { folder, sources }: Place,
  settings: Settings,
): Promise<Recipe> {
  const [base] = image.inputs;
  const resolved = base && resolvedOf(base, inputs);
  const from = base === undefined ? SCRATCH : `${base.written}@${resolved!.digest}`;
  const rendered = renderDockerfile(image, settings, { base: from, mirrored: Object.keys(sources).sort() });
  await copyContext({ from: image.folder, to: folder, paths: rendered.contextFiles, epoch: epochOf(inputs) });
  const dockerfile = join(dirname(folder), 'Dockerfile');
  await writeFile(dockerfile, rendered.dockerfile);
  return { context: folder, dockerfile, names: resolved ? { [contextKey(from)]: resolved } : {} };
}

function resolvedOf(input: ImageInput, inputs: Inputs): ResolvedInput {
  const name = 'golden' in input.source ? `golden/${input.source.golden}` : upstreamName(input.source);
  const resolved = inputs.inputs.find((each) => each.name === name);
  if (resolved !== undefined) return resolved;
  throw new FactoryError(`the run was not planned with ${name}; the next plan decides anew`, { code: 'superseded' });
}

/** Secrets go to BuildKit as files that only we can read; they are removed with the build's folder. */
async function writeSecrets(secrets: readonly BuildSecret[], folder: string, options: ContextOptions) {
  if (secrets.length === 0) return {};
  await mkdir(folder, { mode: 0o700 });
  const written = secrets.map(async ({ id, from }) => {
    if ('file' in from) return [id, resolve(options.root, from.file)] as const;
    const value = options.secret(from.env);
    if (value === undefined) {
      throw new FactoryError(`the build secret ${id} is missing: set the variable ${from.env}`, {
        code: 'configuration',
      });
    }
    const path = join(folder, id);
    await writeFile(path, value, { mode: 0o600 });
    await chmod(path, 0o600);
    return [id, path] as const;
  });
  return Object.fromEntries(await Promise.all(written));
}
