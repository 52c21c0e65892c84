import { z } from 'zod';
import { type Reference, repositoryOf } from '../domain/reference.ts';
import { type Client, nextPage } from './client.ts';
import { parseJson } from './manifest.ts';
import { type Call, RegistryError } from './registry.ts';

const TagList = z.object({ tags: z.array(z.string()).nullish() });

const PAGE_LIMIT = 16 * 1024 * 1024;

/** All tags, sorted by code unit. Registries may ignore order and paging (distribution 2.8 does). */
export async function listTags(client: Client, repository: Reference, { signal }: Call): Promise<readonly string[]> {
  const what = `tags of ${repositoryOf(repository)}`;
  const found = new Set<string>();
  let path: string | URL | undefined = 'tags/list';
  while (path !== undefined) {
    const page = await readPage(client, repository, { path, what, signal });
    const before = found.size;
    for (const tag of page.tags) found.add(tag);
    // A page that repeats the one before would go on for ever
    path = found.size === before ? undefined : page.next;
  }
  return [...found].sort();
}

interface PageWish extends Call {
  readonly path: string | URL;
  readonly what: string;
}

async function readPage(client: Client, reference: Reference, { path, what, signal }: PageWish) {
  const asked = { reference, method: 'GET', path, kind: 'tags', ok: [200], signal, once: true } as const;
  return client.retry(async () => {
    const answer = await client.ask({ ...asked, maxBytes: PAGE_LIMIT });
    if (answer === undefined) return { tags: [], next: undefined };
    const parsed = TagList.safeParse(parseJson(await answer.response.bytes(PAGE_LIMIT), what));
    if (parsed.success) return { tags: parsed.data.tags ?? [], next: nextPage(answer) };
    throw new RegistryError(`${what}: ${reference.registry} answered no list`, { code: 'protocol' });
  }, signal);
}
