import { createHash } from 'node:crypto';
import { z } from 'zod';
import { gitBlobId } from '../domain/git-blob.ts';
import type { FileStore } from '../lib/file-store.ts';
import type { ForgeRepository, RepositoryFile } from './forge.ts';

const Files = z.array(z.tuple([z.string(), z.string(), z.string(), z.number().nullable()]));

/**
 * Keeps what can never change: the list of files of a commit, and the content of a blob. So a second look at a
 * repository where nothing moved asks for its refs alone.
 * @param source tells repositories of several forges apart
 */
export function withCache(repository: ForgeRepository, source: string, store: FileStore): ForgeRepository {
  return {
    ...repository,
    async files(commit, call) {
      const name = `${hash(`${source}\0${repository.name}\0${commit}`)}.files`;
      const kept = parseFiles(await store.read(name));
      if (kept !== undefined) return kept;
      const files = await repository.files(commit, call);
      const rows = files.map(({ path, blob, mode, size }) => [path, blob, mode, size ?? null]);
      await store.write(name, JSON.stringify(rows)).catch(() => undefined); // then it is asked for again
      return files;
    },
    async read(file, call) {
      const name = `${file.blob}.blob`;
      const kept = await store.read(name);
      // A disk may have kept half of it
      if (kept !== undefined && gitBlobId(kept, file.blob) === file.blob) return kept;
      const content = await repository.read(file, call);
      await store.write(name, content).catch(() => undefined);
      return content;
    },
  };
}

function parseFiles(content: Buffer | undefined): readonly RepositoryFile[] | undefined {
  if (content === undefined) return undefined;
  try {
    const rows = Files.parse(JSON.parse(content.toString('utf8')));
    return rows.map(([path, blob, mode, size]) => ({ path, blob, mode, ...(size !== null && { size }) }));
  } catch {
    return undefined;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
