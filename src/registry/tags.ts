import { z } from 'zod';
import { type Reference, repositoryOf } from '../domain/reference.ts';
import { type Answer, type Client, header, nextPage } from './client.ts';
import { parseJson } from './manifest.ts';
import { type Call, RegistryError } from './registry.ts';

const TagList = z.object({ tags: z.array(z.string()).nullish() });

const PAGE_LIMIT = 16 * 1024 * 1024;

interface Page {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/** Pages that a registry gave an ETag for, by address: asked for again only with that. */
export type KnownPages = Map<string, Page & { readonly etag: string }>;

const KNOWN_PAGES = 1000;

/** All tags, sorted by code unit. Registries may ignore order and paging (distribution 2.8 does). */
export async function listTags(
  client: Client,
  repository: Reference,
  { signal, known }: Call & { readonly known: KnownPages },
): Promise<readonly string[]> {
  const what = `tags of ${repositoryOf(repository)}`;
  const found = new Set<string>();
  let path: string | URL | undefined = 'tags/list';
  while (path !== undefined) {
    const page = await readPage(client, repository, { path, what, signal, known });
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
  readonly known: KnownPages;
}

async function readPage(client: Client, reference: Reference, { path, what, known, signal }: PageWish): Promise<Page> {
  const key = typeof path === 'string' ? `${repositoryOf(reference)} ${path}` : path.href;
  const before = known.get(key);
  const headers: Record<string, string> = before === undefined ? {} : { 'if-none-match': before.etag };
  const asked = { reference, method: 'GET', path, kind: 'tags', headers, signal, once: true } as const;
  return client.retry(async () => {
    const answer = await client.ask({ ...asked, ok: before === undefined ? [200] : [200, 304], maxBytes: PAGE_LIMIT });
    if (answer === undefined) return { tags: [], next: undefined };
    if (answer.response.status === 304) {
      await answer.response.discard();
      return before!;
    }
    const parsed = TagList.safeParse(parseJson(await answer.response.bytes(PAGE_LIMIT), what));
    if (parsed.success)
      return remember({ tags: parsed.data.tags ?? [], next: nextPage(answer) }, answer, { key, known });
    throw new RegistryError(`${what}: ${reference.registry} answered no list`, { code: 'protocol' });
  }, signal);
}

function remember(
  page: Page,
  answer: Answer,
  { key, known }: { readonly key: string; readonly known: KnownPages },
): Page {
  known.delete(key);
  const etag = header(answer, 'etag');
  if (etag === undefined) return page;
  const [oldest] = known.keys();
  if (known.size >= KNOWN_PAGES && oldest !== undefined) known.delete(oldest);
  known.set(key, { ...page, etag });
  return page;
}
