import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath } from '../parts.mjs';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const MARK = '# written by ingot set-up; removed when it is done';

/** What keeps the packages from being installed, if anything. */
export function aptProblem(packages, path) {
  if (packages.length === 0) return undefined;
  const list = packages.join(' ');
  if (findOnPath('apt-get', path) === undefined) {
    return new Problem(
      `these are missing, and ${systemName()} has no apt-get to install them: ${list}`,
      "install them with your system's own package manager (names may differ), or use Debian or Ubuntu",
    );
  }
  if (process.getuid() === 0) return undefined;
  return new Problem(
    `these distribution packages are missing, and only root can install them: ${list}`,
    `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list}`,
  );
}

function systemName() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return text.match(/^PRETTY_NAME="?([^"\n]+)/m)?.[1] ?? 'this system';
}

/** Installs packages; no service of theirs is left running. */
export async function installApt(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const patience = ['-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=30', '-o', 'DPkg::Lock::Timeout=300'];
  // Not fatal by itself: a broken source of somebody else's is none of our business. If the install fails, here is why.
  const before = await run('apt-get update', 'apt-get', ['update', '-q', ...patience], { env }).catch(
    (problem) => problem.message,
  );
  const allow = blockServices();
  try {
    const quiet = ['-y', '-q', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0'];
    await run('apt-get install', 'apt-get', ['install', ...quiet, ...patience, ...packages], { env, before });
    await disableServices(packages);
  } finally {
    allow();
  }
}

/**
 * A policy-rc.d that answers 101 ("forbidden") keeps packages from starting their services while they are installed
 * (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt). Somebody's own is left alone.
 */
export function blockServices(path = POLICY) {
  if (existsSync(path) && !readFileSync(path, 'utf8').includes(MARK)) return () => undefined;
  writeFileSync(path, `#!/bin/sh\n${MARK}\nexit 101\n`, { mode: 0o755 });
  const remove = () => rmSync(path, { force: true });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

/** Nor do they start with the next boot. */
async function disableServices(packages) {
  if (!existsSync('/run/systemd/system')) return;
  for (const name of packages.filter((each) => ['redis-server', 'docker-registry'].includes(each))) {
    await run('systemctl', 'systemctl', ['disable', '--quiet', name]).catch(() => undefined);
  }
}
