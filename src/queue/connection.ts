import type { RedisOptions as AllOptions } from 'ioredis';

/** What we set; the rest stays with ioredis. */
export type RedisOptions = Omit<AllOptions, 'retryStrategy'>;

/** Where Redis is: a socket of the embedded one, or a URL. */
export type RedisAddress = { readonly path: string } | { readonly url: string };

/** Options for BullMQ and for our own connections. Workers wait for ever for Redis, as BullMQ demands. */
export function redisOptions(address: RedisAddress): RedisOptions {
  const base = { maxRetriesPerRequest: null, lazyConnect: false } as const;
  return 'path' in address ? { ...base, path: address.path } : { ...base, ...fromUrl(address.url) };
}

function fromUrl(text: string): RedisOptions {
  const url = new URL(text);
  const database = url.pathname.slice(1);
  return {
    host: url.hostname,
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === '' ? {} : { db: Number(database) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
