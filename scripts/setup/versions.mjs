import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../parts.mjs';

const CACHE = join(root, '.tools', 'stamps', 'versions.json');

/** Asks a program for its version once: the answer is kept as long as the file is the same. */
export function createVersions() {
  const known = readCache();
  let isChanged = false;
  return {
    of: (file, { args, pattern }) => {
      const { size, mtimeMs } = statSync(file);
      const key = `${file} ${size} ${mtimeMs}`;
      if (!(key in known)) {
        known[key] = ask(file, args, pattern);
        isChanged = true;
      }
      return known[key] ?? undefined;
    },
    save: () => {
      if (!isChanged) return;
      try {
        mkdirSync(dirname(CACHE), { recursive: true });
        writeFileSync(CACHE, JSON.stringify(known, undefined, 1));
      } catch {
        // Asked again next time.
      }
    },
  };
}

function ask(file, args, pattern) {
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000, cwd: '/' });
  return `${stdout}\n${stderr}`.match(pattern)?.[1] ?? null;
}

function readCache() {
  try {
    return JSON.parse(readFileSync(CACHE, 'utf8'));
  } catch {
    return {};
  }
}
