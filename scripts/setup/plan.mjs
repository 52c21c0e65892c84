import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeRange, findOnPath, isSupported, parts, root } from '../parts.mjs';
import { aptProblem } from './apt.mjs';
import { goProblem, isBuilt, removeBuilt } from './go.mjs';
import { isNpmDone } from './npm.mjs';
import { Problem } from './problem.mjs';
import { needsPython } from './python.mjs';
import { spaceProblem } from './space.mjs';
import { createVersions } from './versions.mjs';

/** What is missing for a group, and everything that keeps it from being installed. */
export function planSetup(group, path) {
  const wanted = parts.filter((part) => part.groups.includes(group) && hasSource(part));
  const versions = createVersions();
  const plan = {
    npm: !isNpmDone(),
    apt: wanted.filter((part) => part.from === 'apt' && !isInstalled(part, path)).map((part) => part.apt),
    go: wanted.filter((part) => part.from === 'go' && needsBuild(part, path, versions)),
    python: needsPython(group),
  };
  const problems = [
    systemProblem(group),
    npmProblem(plan.npm, path),
    aptProblem(plan.apt, path),
    goProblem(plan.go, path),
    spaceProblem(plan),
    ...wanted.map((part) => oldProblem(part, path, versions)),
  ];
  versions.save();
  return { ...plan, problems: problems.filter((problem) => problem !== undefined) };
}

export function isDone({ npm, apt, go, python }) {
  return !npm && apt.length === 0 && go.length === 0 && !python;
}

function hasSource(part) {
  return part.from !== 'go' || existsSync(join(root, part.module, part.own ? part.package : ''));
}

function isInstalled({ name, file }, path) {
  return file ? existsSync(file) : findOnPath(name, path) !== undefined;
}

function needsBuild(part, path, versions) {
  if (isBuilt(part)) return false;
  if (part.own) return true;
  const other = findOnPath(part.name, path);
  if (other === undefined || !isSupported(versions.of(other, part.versions), part.versions)) return true;
  removeBuilt(part);
  return false;
}

function systemProblem(group) {
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return undefined;
  if (group === 'check') return undefined;
  return new Problem(
    `ingot runs on Linux on amd64 and arm64; this is ${process.platform} on ${process.arch}`,
    'use a Linux machine, a virtual machine or a privileged container',
  );
}

function npmProblem(isNeeded, path) {
  if (!isNeeded || findOnPath('npm', path) !== undefined) return undefined;
  return new Problem('npm is not on PATH', 'install npm, which comes with Node 20 and later (https://nodejs.org)');
}

/** A distribution's program that is there, but too old for us. */
function oldProblem(part, path, versions) {
  if (part.from !== 'apt' || part.versions === undefined) return undefined;
  const file = findOnPath(part.name, path);
  if (file === undefined) return undefined;
  const version = versions.of(file, part.versions);
  if (isSupported(version, part.versions)) return undefined;
  return new Problem(
    `${file} is version ${version ?? 'unknown'}, and ingot needs ${describeRange(part.versions)}`,
    `put a ${part.name} of such a version first on PATH`,
  );
}

export const lockPath = join(root, '.tools', 'setup.lock');
