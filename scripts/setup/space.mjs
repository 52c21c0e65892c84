import { existsSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../parts.mjs';
import { Problem } from './problem.mjs';

const GIB = 1024 ** 3;

/** What set-up writes at most, with cold caches; estimated generously. */
const NEEDED = { npm: 1 * GIB, apt: 0.5 * GIB, tools: 1 * GIB, goCaches: 6 * GIB };

/** What keeps the rest from finding room, if anything. */
export function spaceProblem({ npm, apt, go }, free = freeBytes) {
  const caches = process.env.GOCACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'go-build');
  const wants = [
    [root, (npm ? NEEDED.npm : 0) + (go.length > 0 ? NEEDED.tools : 0)],
    ['/var/cache', apt.length > 0 ? NEEDED.apt : 0],
    // A cache that is there has most of what is needed.
    [caches, go.length > 0 && !existsSync(caches) ? NEEDED.goCaches : 0],
  ];
  const short = wants.find(([folder, bytes]) => bytes > 0 && free(folder) < bytes);
  if (short === undefined) return undefined;
  const [folder, bytes] = short;
  const gibibytes = (value) => `${(value / GIB).toFixed(1)} GiB`;
  return new Problem(
    `the disk of ${folder} has ${gibibytes(free(folder))} left; up to ${gibibytes(bytes)} are needed there`,
    'free some space and run the same command again',
  );
}

function freeBytes(folder) {
  const existing = existsSync(folder) ? folder : dirname(folder);
  if (!existsSync(existing)) return freeBytes(dirname(existing));
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}
