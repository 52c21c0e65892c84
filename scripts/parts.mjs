// The programs that ingot runs: what for, from where, which versions. Plain JavaScript, since set-up reads it before
// anything is installed; "ingot doctor" reads the same table (types in parts.d.mts).
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const toolsDirectory = join(root, '.tools', 'bin');
/** What Node made of the sources, for the next start; where it may not write, it does without. */
export const compileCache = join(root, 'node_modules', '.cache', 'node');
export const groups = ['check', 'demo', 'test', 'start'];

const RUN = ['demo', 'test', 'start'];
const TEST = ['test'];
const foreign = process.arch === 'arm64' ? 'x86_64' : 'aarch64';
const distribution = { groups: RUN, from: 'apt' };
const built = { groups: RUN, from: 'go' };

/** `min` is the first version that will do, `below` the first that will not. */
export const parts = [
  {
    ...distribution,
    name: 'redis-server',
    apt: 'redis-server',
    purpose: 'queues and history, unless REDIS_URL names another',
    versions: { args: ['--version'], pattern: /v=(\d+(?:\.\d+)+)/, min: '6.2' },
  },
  {
    ...distribution,
    name: 'docker-registry',
    apt: 'docker-registry',
    purpose: 'registry of the releases, unless ingot.yaml names another',
    versions: { args: ['--version'], pattern: / v?(\d+(?:\.\d+)+)/, min: '2.7', below: '3' },
  },
  {
    ...distribution,
    name: 'runc',
    apt: 'runc',
    purpose: 'runs the containers of builds',
    versions: { args: ['--version'], pattern: /runc version (\d+(?:\.\d+)+)/, min: '1.0' },
  },
  {
    ...distribution,
    name: 'qemu-user-static',
    apt: 'qemu-user-static',
    purpose: `runs ${foreign} programs while images are built and tested`,
    file: `/usr/lib/binfmt.d/qemu-${foreign}.conf`,
  },
  { ...distribution, name: 'mmdebstrap', apt: 'mmdebstrap', purpose: "makes the demo's upstream base" },
  {
    ...distribution,
    name: 'debian-archive-keyring',
    apt: 'debian-archive-keyring',
    purpose: "verifies the packages of the demo's upstream base",
    file: '/usr/share/keyrings/debian-archive-keyring.gpg',
  },
  {
    ...distribution,
    name: 'busybox-static',
    apt: 'busybox-static',
    purpose: 'content of small test images',
    file: '/var/lib/dpkg/info/busybox-static.list',
  },
  {
    ...distribution,
    name: 'git',
    apt: 'git',
    purpose: 'definitions and downstream repositories',
    versions: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/, min: '2.25' },
  },
  {
    ...distribution,
    groups: TEST,
    name: 'rpm',
    apt: 'rpm',
    purpose: 'makes packages and orders versions, for tests to compare with',
    versions: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/, min: '4.16' },
  },
  {
    ...distribution,
    groups: TEST,
    name: 'dnf',
    apt: 'dnf',
    purpose: 'says what it would upgrade, for tests to compare',
  },
  {
    ...distribution,
    groups: TEST,
    name: 'createrepo_c',
    apt: 'createrepo-c',
    purpose: 'makes rpm repositories of tests',
  },
  {
    ...distribution,
    groups: TEST,
    name: 'chromium',
    apt: 'chromium',
    purpose: 'shows the pages to tests, and makes the pictures of the docs',
  },
  buildkit('buildctl', 'asks BuildKit for builds'),
  buildkit('buildkitd', 'builds images, unless ingot.yaml names builders'),
  anchore('syft', 'lists the content of images (SBOM)', { min: '1.40', below: '2' }),
  anchore('grype', 'finds vulnerabilities', { min: '0.110', below: '1' }),
  own('advdb', 'tools/scan', './advdb', 'makes the vulnerability database of the demo', RUN),
  {
    ...built,
    groups: TEST,
    name: 'cosign',
    purpose: 'verifies signatures in tests, independently of ingot',
    module: 'tools/cosign',
    package: 'github.com/sigstore/cosign/v3/cmd/cosign',
    versions: { args: ['version'], pattern: /GitVersion:\s+v(\d+(?:\.\d+)+)/, min: '3', below: '4' },
  },
  own('test-registry', 'tools/test-registry', '.', 'a registry with referrers, for tests', TEST),
  {
    ...own('policy-check', 'tools/policy-check', '.', 'verifies releases in tests as podman and skopeo do', TEST),
    // Without GPG through cgo, the Docker daemon and local container storage.
    tags: 'containers_image_openpgp,containers_image_docker_daemon_stub,containers_image_storage_stub',
    cgo: false,
  },
  own('compose-check', 'tools/deploy', './compose-check', 'reads the compose file as Docker does, for tests', TEST),
  {
    ...built,
    groups: TEST,
    name: 'helm',
    purpose: 'renders the Helm chart in tests',
    module: 'tools/deploy',
    package: 'helm.sh/helm/v3/cmd/helm',
    version: { of: 'helm.sh/helm/v3', variable: 'helm.sh/helm/v3/internal/version.version', prefix: 'v' },
    versions: { args: ['version', '--short'], pattern: /v(\d+(?:\.\d+)+)/, min: '3.14', below: '5' },
  },
  {
    ...distribution,
    groups: TEST,
    name: 'gcc',
    apt: 'gcc',
    purpose: 'compiles the database within Gitea, for tests',
  },
  {
    ...distribution,
    groups: TEST,
    name: 'libc6-dev',
    apt: 'libc6-dev',
    purpose: 'what gcc needs for it',
    file: '/usr/include/stdlib.h',
  },
  {
    ...built,
    groups: TEST,
    name: 'gitea',
    purpose: 'a forge, for tests',
    module: 'tools/gitea',
    package: 'code.gitea.io/gitea',
    tags: 'sqlite,sqlite_unlock_notify',
    cgo: true,
    // The program reads them from a folder, as they are generated into it in releases alone.
    share: { of: 'code.gitea.io/gitea', folders: ['options', 'templates'] },
    version: { of: 'code.gitea.io/gitea', variable: 'main.Version', prefix: '' },
    versions: { args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/, min: '1.26', below: '2' },
  },
];

function buildkit(name, purpose) {
  return {
    ...built,
    name,
    purpose,
    module: 'tools/buildkit',
    package: `github.com/moby/buildkit/cmd/${name}`,
    version: { of: 'github.com/moby/buildkit', variable: 'github.com/moby/buildkit/version.Version', prefix: 'v' },
    versions: { args: ['--version'], pattern: / v(\d+(?:\.\d+)+)/, min: '0.34', below: '0.36' },
  };
}

function anchore(name, purpose, range) {
  return {
    ...built,
    name,
    purpose,
    module: 'tools/scan',
    package: `github.com/anchore/${name}/cmd/${name}`,
    version: { of: `github.com/anchore/${name}`, variable: 'main.version', prefix: '' },
    versions: { args: ['--version'], pattern: / v?(\d+(?:\.\d+)+)/, ...range },
  };
}

/** A program whose source is in this repository: never taken from PATH, rebuilt when the source changes. */
function own(name, module, main, purpose, inGroups) {
  return { ...built, groups: inGroups, name, purpose, module, package: main, own: true };
}

/** The path of a program, or undefined. Administrators' folders count, even where PATH leaves them out. */
export function findOnPath(name, path) {
  const folders = [...path.split(':').filter(Boolean), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== toolsDirectory)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether a version is in the range of a part; without a range anything is. */
export function isSupported(version, range) {
  if (range === undefined) return true;
  if (version === undefined) return false;
  return compareVersions(version, range.min) >= 0 && (!range.below || compareVersions(version, range.below) < 0);
}

/** `>=0.34 <0.36` */
export function describeRange(range) {
  return range === undefined ? '' : `>=${range.min}${range.below ? ` <${range.below}` : ''}`;
}

export function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The Node 24 that npm installed for this machine. */
export function bundledNode() {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const file = join(root, 'node_modules', `node-linux-${architecture}`, 'bin', 'node');
  return existsSync(file) ? file : undefined;
}

/** The version of a module that a go.mod pins, without its `v`. */
export function pinnedVersion(moduleFolder, modulePath) {
  const text = readFileSync(join(root, moduleFolder, 'go.mod'), 'utf8');
  const lines = text.split('\n').map((line) => line.trim().replace(/^require /, ''));
  const line = lines.find((candidate) => candidate.startsWith(`${modulePath} v`));
  return line?.slice(modulePath.length + 2).split(' ')[0];
}
