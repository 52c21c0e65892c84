import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FindTool, Part } from './part.ts';
import { answers } from './probe.ts';

export interface RedisPartOptions {
  readonly folder: string;
  /** A short folder: Redis refuses socket paths over 107 bytes. */
  readonly runtime: string;
  readonly findTool: FindTool;
}

/** A redis-server on a socket, with an append-only file. Its address is the socket's path. */
export function createRedisPart({ folder, runtime, findTool }: RedisPartOptions): Part {
  const socket = join(runtime, 'redis.sock');
  const data = join(folder, 'data');
  return {
    name: 'redis',
    folder,
    prepare: async () => {
      await mkdir(data, { recursive: true });
      await mkdir(runtime, { recursive: true, mode: 0o700 });
      await rm(socket, { force: true });
      return {
        program: await findTool('redis-server'),
        args: redisArgs({ socket, data }),
        address: socket,
        deathSignal: 'TERM',
      };
    },
    isReady: (path) => answers({ to: { path }, send: 'PING\r\n', expect: /^\+PONG/ }),
  };
}

/** The job queue needs `noeviction`; one fsync a second loses at most a second of history, which can be found again. */
export function redisArgs({ socket, data }: { socket: string; data: string }): string[] {
  const settings = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir: data,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    logfile: '',
    loglevel: 'notice',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}
