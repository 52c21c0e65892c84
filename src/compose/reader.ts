import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { placesBelow } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import { readPackageState } from '../image/package-state.ts';
import type { Budget } from '../lib/budget.ts';
import { createHttp, type Http } from '../lib/http.ts';
import type { Redaction } from '../lib/redaction.ts';
import { type Credentials, createDockerCredentials, secretsOf } from '../registry/credentials.ts';
import { createRegistry } from '../registry/oci.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { RequestEvent } from '../registry/transport.ts';
import { VERSION } from '../version.ts';
import { createScanners } from './scanners.ts';

interface ReaderOptions {
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  readonly budget?: Budget | undefined;
  /** See RegistryOptions. */
  readonly free?: readonly string[] | undefined;
}

/** Registries, with this machine's proxy and credentials. */
export function createReader(
  { proxy, ca, dockerConfig, redaction }: Config,
  { onRequest, budget, free }: ReaderOptions = {},
): { http: Http; registry: Registry } {
  const http = createHttp({ connectionsPerHost: 16, userAgent: USER_AGENT, timeoutMs: 120_000, proxy, ca });
  const credentials = learnt(createDockerCredentials({ path: join(dockerConfig, 'config.json') }), redaction);
  return { http, registry: createRegistry({ http, credentials, onRequest, budget, free }) };
}

/** What is read of them is kept out of logs. */
function learnt({ find }: Credentials, redaction: Redaction): Credentials {
  return {
    async find(registry) {
      const found = await find(registry);
      if (found !== undefined) redaction.learn(...secretsOf(found));
      return found;
    },
  };
}

const USER_AGENT = `ingot/${VERSION}`;

/** What it takes to compare images, without a fleet: nothing is started, and nothing kept but a vulnerability database. */
export function composeDiffer(config: Config) {
  const { http, registry } = createReader(config);
  // Folders of others are left as they are
  const isBesideFleet = config.dataDirectory === join(config.root, '.ingot');
  const dataDirectory = isBesideFleet ? join(homedir(), '.cache', 'ingot') : config.dataDirectory;
  return {
    registry,
    ...createScanners({ ...config, dataDirectory }, { scan: {} }),
    fleet: { images: [] },
    places: placesBelow({ registry: '', path: '' }), // of no image
    packages: { stateOf: (reference: Reference, call?: Call) => readPackageState(registry, reference, call) },
    cycle: { sourceOf: (upstream: Reference) => upstream },
    close: () => http.close(),
  };
}
