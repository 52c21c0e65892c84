import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledNode, root } from '../parts.mjs';
import { run } from './run.mjs';

/**
 * Whether node_modules is what the lockfile says. npm keeps its own account of what it installed in
 * node_modules/.package-lock.json, written last: comparing the two needs no stamp and sees `npm install` as well.
 */
export function isNpmDone() {
  if (process.platform === 'linux' && bundledNode() === undefined) return false;
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const there = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    const found = there[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

export async function installNpm(signal) {
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];
  try {
    await run('npm ci', 'npm', ['ci', ...quiet], { cwd: root, signal });
  } catch (problem) {
    // A lockfile that was written where a registry lacks packages of other platforms leaves them out, and npm ci refuses
    // it whatever our platform is. This installs the versions that it does name, and leaves it as it is.
    if (!/npm error code EUSAGE/.test(problem.output)) throw problem;
    await run('npm install', 'npm', ['install', '--no-save', ...quiet], { cwd: root, signal });
  }
}
