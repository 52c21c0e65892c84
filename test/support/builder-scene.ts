import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Builder, BuildRequest } from '../../src/builder/builder.ts';
import { createBuildKit } from '../../src/builder/buildkit.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';

/** The Dockerfile of an image that is nothing but busybox. */
export const BUSYBOX = `FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
ENV PATH=/bin
`;

export interface BuilderScene {
  readonly builder: Builder;
  /** `unix://…` */
  readonly address: string;
  /** `host:port` of a registry that is empty at first. */
  readonly registry: string;
  readonly buildctl: string;
  /** A folder for files of the test. */
  readonly folder: string;
  /** Writes a context whose Dockerfile and other files are given; busybox lies in it as well. */
  context(files: Readonly<Record<string, string>>): Promise<Pick<BuildRequest, 'context' | 'dockerfile'>>;
  repository(name: string): Reference;
  /** Builds for amd64 and pushes; by digest. `copies` are files of this machine by their names in the context. */
  image(
    name: string,
    files: Readonly<Record<string, string>>,
    copies?: Readonly<Record<string, string>>,
  ): Promise<Reference & { digest: Digest }>;
  stop(): Promise<void>;
}

/** A real BuildKit and a real registry on loopback. */
export async function startBuilderScene(): Promise<BuilderScene> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-builder-'));
  const embedded = await startEmbedded({ dataDirectory: folder, needs: { registry: true, buildkit: true } });
  const registry = embedded.registry!;
  const address = embedded.buildkit!;
  const buildctl = join(import.meta.dirname, '..', '..', '.tools', 'bin', 'buildctl');
  const runtimeDirectory = join(folder, 'builds');
  const builder = createBuildKit({
    buildctl,
    address: () => address,
    insecureRegistries: [registry],
    runtimeDirectory,
  });
  const repository = (name: string): Reference => ({ registry, repository: name });
  let contexts = 0;
  const context: BuilderScene['context'] = async (files) => {
    const path = join(folder, `context-${++contexts}`);
    await mkdir(path);
    await copyFile('/bin/busybox', join(path, 'busybox'));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), content);
    }
    return { context: path, dockerfile: join(path, 'Dockerfile') };
  };
  return {
    ...{ builder, address, registry, buildctl, folder, context, repository },
    async image(name, files, copies = {}) {
      const push = repository(name);
      const source = await context(files);
      for (const [file, path] of Object.entries(copies)) await copyFile(path, join(source.context, file));
      const digest = await builder.build({ ...source, platform: 'linux/amd64', pins: {}, epoch: 1_700_000_000, push });
      return { ...atDigest(push, digest), digest };
    },
    async stop() {
      await embedded.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
