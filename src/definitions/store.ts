import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { type Digest, hexOf } from '../domain/digest.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import type { Definitions } from '../domain/service/definitions.ts';
import { packFiles, readFiles, unpackFiles } from './pack.ts';
import { gitRevision, gitTime } from './revision.ts';
import { headOf } from './source.ts';

/** Takes up what runs need of a folder with a fleet: ingot.yaml, images/, and the files that the settings name. */
export async function packFleet(root: string, fleet: Fleet): Promise<Definitions> {
  const secret = secretFiles(root, fleet);
  const readOpen = async (path: string) =>
    (await readFiles(root, path)).filter((file) => !secret.has(resolve(root, file.path)));
  const files = ['ingot.yaml', 'images/packages.yaml', ...namedFiles(fleet)];
  const shared = (await Promise.all([...new Set(files)].map(readOpen))).flat();
  const parts = [{ name: 'fleet', archive: await packFiles(shared) }];
  const limit = pLimit(4);
  const revisions: Record<string, string> = {};
  const times: Record<string, string> = {};
  await limit.map(
    [...fleet.images].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async (image) => {
      const archive = await packFiles(await readOpen(`images/${image.name}`));
      parts.push({ name: `images/${image.name}`, archive });
      const revision = await gitRevision(image, root);
      const time = await gitTime(image, root);
      if (revision !== undefined) revisions[image.name] = revision;
      if (time !== undefined) times[image.name] = time;
    },
  );
  const commit = await headOf(root);
  return {
    fleet: fleet.settings.fleet,
    ...(commit && { commit }),
    revisions: Object.fromEntries(Object.entries(revisions).sort()),
    times: Object.fromEntries(Object.entries(times).sort()),
    parts: parts.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Scripts of gates, folders that consumers are built from, keyrings of archives: where they lie beside ingot.yaml. */
function namedFiles({ settings }: Fleet): string[] {
  const text = JSON.stringify([settings.gates, settings.archives]);
  const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word);
  const paths = words.map((word) => word.replace(/^\.\//, '').replace(/\/$/, ''));
  return paths.filter((path) => /^\w[\w./-]*$/.test(path) && !path.split('/').includes('..'));
}

/** What definitions name and must never leave the machine: each worker has its own. */
function secretFiles(root: string, { settings, images }: Fleet): ReadonlySet<string> {
  const { key } = settings.signing;
  const secrets = images.flatMap((image) => image.secrets.flatMap(({ from }) => ('file' in from ? [from.file] : [])));
  const keys = Object.values(settings.builders).flatMap((builder) => (builder?.tls ? [builder.tls.key] : []));
  const files = [...secrets, ...keys, ...(key !== undefined && 'file' in key ? [key.file] : [])];
  return new Set(files.map((file) => resolve(root, file)));
}

/** Lays definitions out below a folder, whole or not at all. @returns the folder of ingot.yaml */
export async function unpackFleet(
  digest: Digest,
  fetch: () => Promise<Definitions>,
  folder: string,
): Promise<{ readonly root: string } & Pick<Definitions, 'revisions' | 'times'>> {
  const target = join(folder, hexOf(digest).slice(0, 32));
  const there = await readAbout(target);
  if (there !== undefined) return { root: target, ...there };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const making = await mkdtemp(join(folder, 'making-'));
  try {
    const { parts, ...about } = await fetch();
    for (const { archive } of parts) await writeFiles(making, await unpackFiles(archive));
    await writeFile(join(making, ABOUT_FILE), JSON.stringify(about));
    await rename(making, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another process was faster
    });
    return { root: target, revisions: about.revisions, times: about.times };
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** What is known of definitions besides their files, beside ingot.yaml. */
const ABOUT_FILE = '.definitions.json';
const About = z.object({
  revisions: z.record(z.string(), z.string()),
  times: z.record(z.string(), z.string()),
});

async function readAbout(folder: string) {
  const text = await readFile(join(folder, ABOUT_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : About.parse(JSON.parse(text));
}

async function writeFiles(folder: string, files: Awaited<ReturnType<typeof unpackFiles>>): Promise<void> {
  for (const { path, executable, content } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { mode: executable ? 0o755 : 0o644 });
  }
}
