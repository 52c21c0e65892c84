import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, root } from '../parts.mjs';
import { installApt } from './apt.mjs';
import { run } from './run.mjs';

const requirements = join(root, 'tools', 'schemathesis', 'requirements.txt');
const folder = join(root, '.tools', 'schemathesis');
const stamp = join(folder, 'installed.txt');

/** Whether schemathesis is missing that a group has a test for. */
export function needsPython(group) {
  if (group !== 'test' || !existsSync(requirements)) return false;
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== readFileSync(requirements, 'utf8');
}

/**
 * Schemathesis, in an environment of its own. One test needs it, which skips without it and says so: a machine that has
 * no Python, or no way to its packages, is told why, and everything else goes on.
 */
export async function installPython(signal) {
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await makeEnvironment(signal);
    const quiet = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '20'];
    await run('pip install', join(folder, 'bin', 'pip'), ['install', ...quiet, '-r', requirements], { signal });
    writeFileSync(stamp, readFileSync(requirements));
  } catch (problem) {
    if (problem.name === 'AbortError') throw problem;
    rmSync(folder, { recursive: true, force: true });
    console.log(`  schemathesis cannot be installed, and its test will be skipped: ${problem.message.split('\n')[0]}`);
  }
}

async function makeEnvironment(signal) {
  const make = () => run('python3 -m venv', 'python3', ['-m', 'venv', folder], { signal });
  try {
    await make();
  } catch (problem) {
    // Debian and Ubuntu keep it in a package of its own
    if (
      problem.name === 'AbortError' ||
      process.getuid() !== 0 ||
      findOnPath('apt-get', process.env.PATH ?? '') === undefined
    ) {
      throw problem;
    }
    await installApt(['python3-venv']);
    await make();
  }
}
