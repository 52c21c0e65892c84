import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { buildDatabase } from '../../scripts/demo/advisories.ts';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { parseReference, type Reference } from '../../src/domain/reference.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { pushImage } from './images.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const TOOLS = join(import.meta.dirname, '..', '..', '.tools', 'bin');

/** One organisation: a folder with a fleet, and its own paths in the shared registry. */
export interface TestFactory {
  readonly root: string;
  /** `host:port/path` below which its releases live. */
  readonly base: string;
  readonly downstream: string;
  repository(image: string): Reference;
  /** Publishes a new edition of the upstream that the fleet is built from. @param tag default 12-slim */
  publish(edition: string, tag?: string): Promise<void>;
  /** Replaces files of the fleet, and commits nothing. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Writes ingot.yaml anew, with these settings in place of the usual ones. */
  configure(settings: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface FleetScene {
  readonly registry: Registry;
  readonly host: string;
  /** `only`: a fleet of this one image. `settings`: in place of the usual ones. */
  factory(
    name: string,
    options?: { readonly only?: string; readonly settings?: Readonly<Record<string, unknown>> },
  ): Promise<TestFactory>;
  stop(): Promise<void>;
}

const STATUS =
  'Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\nDescription: a tool\n\n';

/** A small fleet without any RUN, so that both platforms build in a second; all parts are real. */
export async function startFleetScene(): Promise<FleetScene> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-fleet-'));
  const embedded = await startEmbedded({
    dataDirectory: join(folder, 'shared'),
    needs: { registry: true, buildkit: true },
  });
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  const registry = createRegistry({ http });
  const host = embedded.registry!;
  const advisory = {
    ID: 'CVE-2026-0001',
    Distro: 'debian:12',
    Package: 'tool',
    Fixed: '1.1-1',
    Severity: 'Medium',
    FixedAt: '2026-11-01',
    Description: 'A hole',
  } as const;
  const database = await buildDatabase([advisory], join(folder, 'database'), { advdb: join(TOOLS, 'advdb') });
  return {
    registry,
    host,
    async factory(name, { only, settings = {} } = {}) {
      const usual = { ...settingsOf(name, host, embedded.buildkit!), scan: { database } };
      const factory = createFactory({ name, host, registry, root: join(folder, name), usual });
      await factory.configure(settings);
      await factory.write({ 'fleet.key': generateKeyPair().privateKey, ...filesOf(only) });
      await makeDownstream(factory.downstream, { 'README.md': 'A shop\n' });
      return factory;
    },
    async stop() {
      await http.close();
      await embedded.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function settingsOf(name: string, host: string, builder: string) {
  return {
    fleet: 'acme',
    registry: `${host}/${name}`,
    platforms: [...PLATFORMS],
    builders: Object.fromEntries(PLATFORMS.map((platform) => [platform, builder])),
    signing: { key: { file: 'fleet.key' } },
    upstreams: { 'docker.io/library': `${host}/${name}/upstream` },
    channels: [{ name: 'stable' }],
    gates: [{ name: 'contract', when: 'before', command: ['true'] }],
  };
}

/** A base with its parent, each with its own Dockerfile. */
const FLEET = {
  'images/base/image.yaml': 'line: "12"\n',
  'images/base/Dockerfile': 'FROM debian:12-slim\nCOPY motd /etc/motd\nUSER 10001\n',
  'images/base/context/motd': 'golden\n',
  'images/base/smoke.yaml':
    'schemaVersion: 2.0.0\nfileContentTests:\n  - name: motd\n    path: /etc/motd\n    expectedContents: [golden]\nmetadataTest:\n  user: "10001"\n',
  'images/child/image.yaml': 'line: "3.11"\n',
  'images/child/Dockerfile': 'FROM golden/base\nCOPY app /app\n',
  'images/child/context/app': 'app\n',
};

function filesOf(only: string | undefined): Record<string, string> {
  const files = Object.entries(FLEET).filter(([path]) => only === undefined || path.startsWith(`images/${only}/`));
  return Object.fromEntries(files);
}

function createFactory({
  name,
  host,
  registry,
  root,
  usual,
}: {
  name: string;
  host: string;
  registry: Registry;
  root: string;
  usual: Readonly<Record<string, unknown>>;
}): TestFactory {
  const base = `${host}/${name}`;
  const downstream = join(root, 'downstream.git');
  const write: TestFactory['write'] = async (files) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  return {
    ...{ root, base, downstream, write },
    configure: (settings) =>
      write({
        'ingot.yaml': stringify({ ...usual, downstreams: [{ forge: 'local', path: downstream }], ...settings }),
      }),
    repository: (image) => parseReference(`${base}/${image}`),
    async publish(edition, tag = '12-slim') {
      await pushImage(registry, parseReference(`${base}/upstream/debian:${tag}`), {
        platforms: [...PLATFORMS],
        files: {
          'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
          'etc/edition': `${edition}\n`,
          'var/lib/dpkg/status': STATUS,
        },
        created: '2026-11-01T00:00:00Z',
      });
    },
  };
}
