import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { compareVersions, findOnPath, isExecutable, pinnedVersion, root, toolsDirectory } from '../parts.mjs';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

/** Whether a built program is what its sources say. */
export function isBuilt(part) {
  const stamp = stampPath(part);
  return (
    isExecutable(join(toolsDirectory, part.name)) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === sourceHash(part)
  );
}

/** Takes a program away that we built, since one on PATH is used instead. */
export function removeBuilt(part) {
  rmSync(join(toolsDirectory, part.name), { force: true });
  rmSync(stampPath(part), { force: true });
}

/** What keeps the programs from being built, if anything. */
export function goProblem(pending, path) {
  if (pending.length === 0) return undefined;
  const needed = pending
    .map(({ module }) => goDirective(module))
    .sort(compareVersions)
    .at(-1);
  const remedy = `install Go ${needed} or later from https://go.dev/dl/ and put it on PATH`;
  const go = findOnPath('go', path);
  const names = pending.map(({ name }) => name).join(', ');
  if (go === undefined) return new Problem(`Go is not installed, and these are built with it: ${names}`, remedy);
  // Outside of any module, or an older Go would fetch the newer one just to answer.
  const answer = spawnSync(go, ['env', '-json', 'GOVERSION', 'GOTOOLCHAIN'], { cwd: '/', encoding: 'utf8' });
  const { GOVERSION = '', GOTOOLCHAIN = '' } = parseJson(answer.stdout);
  const version = GOVERSION.replace(/^go/, '');
  if (compareVersions(version, needed) >= 0) return undefined;
  const fetchesNewer = compareVersions(version, '1.21') >= 0 && /auto|path/.test(GOTOOLCHAIN);
  return fetchesNewer ? undefined : new Problem(`Go ${version || 'of unknown version'} at ${go} is too old`, remedy);
}

function goDirective(module) {
  return readFileSync(join(root, module, 'go.mod'), 'utf8').match(/^go (\S+)/m)?.[1] ?? '1.21';
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Builds one program beside its place and moves it there when it is whole. */
export async function buildGo(part, signal) {
  mkdirSync(toolsDirectory, { recursive: true });
  mkdirSync(stampDirectory, { recursive: true });
  const hash = sourceHash(part);
  const temporary = join(toolsDirectory, `.${part.name}.${process.pid}`);
  const env = { GOWORK: 'off', ...(part.cgo !== undefined && { CGO_ENABLED: part.cgo ? '1' : '0' }) };
  try {
    const args = ['build', ...buildFlags(part), '-o', temporary, part.package];
    await run(`building ${part.name}`, 'go', args, { cwd: join(root, part.module), env, signal });
    if (part.share) await copyShare(part, env, signal);
    renameSync(temporary, join(toolsDirectory, part.name));
    writeFileSync(stampPath(part), hash);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** What a program reads of its own module while it runs; the module cache may be emptied at any time. */
async function copyShare({ name, module, share }, env, signal) {
  const list = ['list', '-m', '-f', '{{.Dir}}', share.of];
  const source = (
    await run(`finding the sources of ${name}`, 'go', list, { cwd: join(root, module), env, signal })
  ).trim();
  const target = join(shareDirectory, name);
  rmSync(target, { recursive: true, force: true });
  for (const path of share.folders.flatMap((folder) => filesIn(source, folder))) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    copyFileSync(join(source, path), join(target, path));
    chmodSync(join(target, path), 0o644); // files of the module cache cannot be written to
  }
}

const shareDirectory = join(root, '.tools', 'share');
const stampDirectory = join(root, '.tools', 'stamps');

function stampPath({ name }) {
  return join(stampDirectory, name);
}

/** Programs built as a dependency do not know their own version; it is part of what they report in their output. */
function linkerFlags({ module, version }) {
  return version && `-X ${version.variable}=${version.prefix}${pinnedVersion(module, version.of)}`;
}

function buildFlags(part) {
  const flags = linkerFlags(part);
  return ['-trimpath', ...(part.tags ? ['-tags', part.tags] : []), ...(flags ? ['-ldflags', flags] : [])];
}

function sourceHash(part) {
  const folder = join(root, part.module);
  const hash = createHash('sha256').update(JSON.stringify([process.arch, part.package, buildFlags(part), part.cgo]));
  if (part.share) hash.update(JSON.stringify(part.share));
  const sources = part.own ? goFiles(folder) : [];
  for (const file of ['go.mod', 'go.sum', ...sources])
    hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

function goFiles(folder) {
  return filesIn(folder)
    .filter((path) => path.endsWith('.go'))
    .sort();
}

function filesIn(folder, below = '') {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? filesIn(folder, path) : [path];
  });
}
