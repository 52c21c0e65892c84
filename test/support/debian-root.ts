import { existsSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** A Dockerfile on which Debian's own apt runs: its files as `root.tar`, a shell, and no package but dpkg. */
export const APT_ROOT = `FROM scratch
ADD root.tar /
COPY busybox /usr/bin/busybox
ENV PATH=/usr/bin:/usr/sbin:/sbin
RUN ["/usr/bin/busybox", "--install", "/usr/bin"]
RUN mkdir -p /tmp /var/log/apt /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/lib/dpkg/info /etc/apt/keyrings \\
 && printf 'Package: dpkg\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1.21.22\\nMaintainer: Nobody <nobody@example.org>\\nDescription: a test\\n' > /var/lib/dpkg/status \\
 && rm -rf /etc/apt/sources.list.d /etc/apt/apt.conf.d/* \\
 && echo root:x:0:0:root:/root:/bin/sh > /etc/passwd && echo root:x:0: > /etc/group \\
 && printf 'ID=debian\\nVERSION_ID="12"\\n' > /etc/os-release
`;

/** A Dockerfile on which Debian's own dnf runs: its files as `root.tar`, a shell, a database where others have it. */
export const DNF_ROOT = `FROM scratch
ADD root.tar /
COPY busybox /usr/bin/busybox
ENV PATH=/usr/bin:/usr/sbin PYTHONDONTWRITEBYTECODE=1
RUN ["/usr/bin/busybox", "--install", "/usr/bin"]
RUN mkdir -p /tmp /var/tmp /var/log /var/cache /var/lib/rpm /etc/yum.repos.d /etc/rpm /run /root \\
 && echo root:x:0:0:root:/root:/bin/sh > /etc/passwd && echo root:x:0: > /etc/group \\
 && printf 'ID=test\\nVERSION_ID=1\\nPLATFORM_ID=platform:test1\\n' > /etc/os-release \\
 && echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros
`;

/** Packs packages and all that they need from this machine, without what is never read; programs with their libraries. */
export async function packRoot(
  path: string,
  packages: readonly string[],
  programs: readonly string[] = [],
): Promise<void> {
  const depends = '--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances'.split(' ');
  const found = await run('apt-cache', ['depends', '--recurse', ...depends, '--installed', ...packages]);
  const names = found.split('\n').filter((line) => /^\w/.test(line));
  // Ends with 1, since of alternatives one is installed.
  const listed = await run('dpkg-query', ['-L', ...names], [0, 1]);
  const libraries = await Promise.all(programs.map(async (program) => run('ldd', [program])));
  const linked = libraries.flatMap((text) =>
    [...text.matchAll(/=> (\/\S+)/g)].flatMap(([, library]) => [library!, realpathSync(library!)]),
  );
  const paths = [...listed.split('\n'), ...linked].filter((file) =>
    /^\/(?!usr\/share\/(doc|man|locale|info)\/)./.test(file),
  );
  const links = ['/bin', '/sbin', '/lib', '/lib64'];
  const wanted = new Set([...links, ...paths.filter((path) => existsSync(path)).map(inRealFolder)]);
  const list = join(dirname(path), `${basename(path)}.list`);
  await writeFile(list, [...wanted].map((file) => file.slice(1)).join('\n'));
  await run('tar', ['--create', '--file', path, '--no-recursion', '--directory', '/', '--files-from', list]);
  for (const program of programs) {
    const options = ['--append', '--file', path, '--directory', dirname(program), '--transform', 's,^,usr/bin/,'];
    await run('tar', [...options, basename(program)]);
  }
}

/** Packages name /lib/…, which is a link today. */
function inRealFolder(file: string): string {
  return join(realpathSync(dirname(file)), basename(file));
}

async function run(program: string, args: readonly string[], fine = [0]): Promise<string> {
  const { exitCode, stdout, stderr } = await exec(program, args, { timeout: 120_000, env: { LC_ALL: 'C.UTF-8' } });
  if (!fine.includes(exitCode ?? -1)) throw new Error(`${program} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}
