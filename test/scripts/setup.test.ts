import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blockServices } from '../../scripts/setup/apt.mjs';
import { spaceProblem } from '../../scripts/setup/space.mjs';
import { copySetup, type SetupCopy } from './setup-copy.ts';

let copy: SetupCopy;

beforeEach(async () => {
  copy = await copySetup();
  await copy.program('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
  await copy.program('docker-registry', 'echo "docker-registry github.com/docker/distribution 2.8.2+ds1"');
  await copy.program('runc', 'echo "runc version 1.1.5"');
  await copy.program('git', 'echo "git version 2.39.5"');
  await copy.program('mmdebstrap', ':');
  await copy.program('setpriv', ':');
  await copy.program('go', GO);
});

afterEach(() => copy.remove());

/** A Go that notes what it is asked to build, and builds it. */
const GO = `
if [ "$1" = env ]; then echo '{"GOVERSION":"go1.99.0","GOTOOLCHAIN":"local"}'; exit 0; fi
echo "$@" >> "$FOLDER/go.log"
while [ "$1" != -o ]; do shift; done
echo "#!/bin/sh" > "$2"; /bin/chmod 755 "$2"`;

function expectProblem({ code, stderr }: { code: number; stderr: string }, message: RegExp, remedy: RegExp) {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(remedy);
  expect(stderr).not.toMatch(/\n\s+at |node:internal/);
  expect(code).toBe(1);
}

test('builds what is missing, once', async () => {
  const first = await copy.run('demo');
  const second = await copy.run('demo');

  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/buildkitd \(built\): \d+\.\d s/);
  expect(second).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await copy.file('go.log')).toContain(
    'build -trimpath -ldflags -X github.com/moby/buildkit/version.Version=v0.34.2 -o ',
  );
});

test('the demo builds nothing that only tests need', async () => {
  const { stdout } = await copy.run('demo');

  expect(stdout).not.toContain('cosign');
});

test('builds again what a changed go.sum may change', async () => {
  await copy.run('demo');
  const sums = join(copy.folder, 'tools/buildkit/go.sum');
  await writeFile(sums, `${await readFile(sums, 'utf8')}\n`);

  const { stdout } = await copy.run('demo');

  expect(stdout).toMatch(/^set-up for "demo": buildctl, buildkitd$/m);
});

test('uses a program on PATH whose version is supported', async () => {
  await copy.program('syft', 'echo "syft 1.45.0"');
  await copy.program('grype', 'echo "grype 2.0.0"');

  const { stdout } = await copy.run('demo');

  expect(stdout).not.toContain('syft');
  expect(stdout).toContain('grype (built)');
});

test('says what to do without Go', async () => {
  await copy.program('go', undefined);

  expectProblem(
    await copy.run('demo'),
    /Go is not installed.*buildctl/,
    /-> install Go 1\.\d+.* from https:\/\/go\.dev/,
  );
});

test('says what to do with a Go that is too old', async () => {
  await copy.program('go', `echo '{"GOVERSION":"go1.19.8"}'`);

  expectProblem(await copy.run('demo'), /Go 1\.19\.8 at .*too old/, /-> install Go 1\.\d+/);
});

test('a Go that fetches a newer one by itself will do', async () => {
  await copy.program('go', GO.replace('go1.99.0', 'go1.21.0').replace('local', 'auto'));

  expect((await copy.run('demo')).code).toBe(0);
});

test('shows the last lines of a build that fails, and leaves nothing half-built', async () => {
  await copy.program('go', `${GO.split('\n')[1]}\necho "main.go:1: undefined: x" >&2; exit 1`);

  expectProblem(await copy.run('demo'), /building buildctl failed\n {4}main\.go:1: undefined: x/, /->/);
  expect(await readdir(join(copy.folder, '.tools/bin'))).toEqual([]);
});

test.each([
  ['dial tcp 192.0.2.1:443: i/o timeout', /a package registry does not answer/, /-> check the network.*GOPROXY/],
  ['write x.a: no space left on device', /the disk is full/, /-> free some space/],
])('knows the cause of "%s"', async (line, cause, remedy) => {
  await copy.program('go', `${GO.split('\n')[1]}\necho "${line}" >&2; exit 1`);

  expectProblem(await copy.run('demo'), cause, remedy);
});

test('an npm registry that does not answer is named', async () => {
  await writeFile(join(copy.folder, 'package-lock.json'), '{"packages":{"node_modules/new":{"version":"1.0.0"}}}');
  await copy.program('npm', 'echo "npm error code ECONNREFUSED" >&2; exit 1');

  expectProblem(await copy.run('check'), /npm ci failed: a package registry does not answer/, /-> check the network/);
});

test('a lockfile that leaves out packages of other platforms is installed all the same', async () => {
  await writeFile(join(copy.folder, 'package-lock.json'), '{"packages":{"node_modules/new":{"version":"1.0.0"}}}');
  const help = 'npm error usage\\n'.repeat(40);
  await copy.program(
    'npm',
    `echo "$@" >> "$FOLDER/npm.log"; [ "$1" = install ] || { printf 'npm error code EUSAGE\\n${help}' >&2; exit 1; }`,
  );

  const { code } = await copy.run('check');

  expect(code).toBe(0);
  expect(await copy.file('npm.log')).toMatch(/^ci .*\ninstall --no-save .*\n$/);
});

test('the group "check" needs npm packages only', async () => {
  for (const name of ['go', 'redis-server', 'runc', 'git']) await copy.program(name, undefined);

  expect(await copy.run('check')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('says what root has to install when it is not root', async () => {
  await copy.program('redis-server', undefined);
  await copy.program('apt-get', ':');
  const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};

  const outcome = await copy.run('demo', uid);

  expectProblem(
    outcome,
    /only root can install them: .*redis-server/,
    /-> sudo apt-get update && sudo apt-get install .*redis-server/,
  );
});

test('says what is missing on a system without apt-get', async () => {
  await copy.program('redis-server', undefined);

  expectProblem(
    await copy.run('demo'),
    /has no apt-get to install them: .*redis-server/,
    /-> install them with your system/,
  );
});

test('says when a program on PATH is too old', async () => {
  await copy.program('redis-server', 'echo "Redis server v=5.0.7 sha=0"');

  expectProblem(
    await copy.run('demo'),
    /redis-server is version 5\.0\.7, and ingot needs >=6\.2/,
    /-> put a redis-server/,
  );
});

test('names every problem at once', async () => {
  await copy.program('redis-server', undefined);
  await copy.program('go', undefined);

  const { stderr } = await copy.run('demo');

  expect(stderr.match(/->/g)).toHaveLength(2);
});

test('an unknown group is answered with the known ones', async () => {
  expectProblem(await copy.run('all'), /no group "all"/, /check, demo, test, start/);
});

test('a full disk is noticed before anything is begun', () => {
  const missing = { npm: true, apt: [], go: [{}] };

  const problem = spaceProblem(missing, () => 100 * 1024 ** 2);

  expect(problem?.message).toMatch(/has 0\.1 GiB left; up to \d+\.\d GiB are needed/);
  expect(spaceProblem(missing, () => 100 * 1024 ** 3)).toBeUndefined();
});

test('services are blocked while packages are installed, and then no more', async () => {
  const policy = join(copy.folder, 'policy-rc.d');

  const allow = blockServices(policy);
  expect(await readFile(policy, 'utf8')).toMatch(/^#!\/bin\/sh\n.*\nexit 101/);
  allow();

  expect(existsSync(policy)).toBe(false);
});

test("somebody's own service policy is left as it is", async () => {
  const policy = join(copy.folder, 'policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 0\n');

  blockServices(policy)();

  expect(await readFile(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
});
