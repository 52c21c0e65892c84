import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { FactoryError } from '../domain/errors.ts';
import { exec } from '../lib/exec.ts';
import { writeWhole } from '../lib/write-whole.ts';
import type { FindTool, Part } from './part.ts';
import { answers } from './probe.ts';

export interface RegistryPartOptions {
  readonly folder: string;
  readonly findTool: FindTool;
  /** One line for a person. */
  readonly log: (line: string) => void;
}

/** What a registry keeps over its starts: references and unfinished uploads stay valid. */
const RegistrySettings = z.strictObject({ port: z.int().min(1).max(65_535), secret: z.string().min(1) });
type RegistrySettings = z.infer<typeof RegistrySettings>;

/** A CNCF distribution registry on a loopback port. Its address is `127.0.0.1:<port>`. */
export function createRegistryPart({ folder, findTool, log }: RegistryPartOptions): Part {
  const data = join(folder, 'data');
  const config = join(folder, 'config.yml');
  return {
    name: 'registry',
    folder,
    prepare: async () => {
      await mkdir(data, { recursive: true });
      const settings = await registrySettings(folder);
      if (!(await isFree(settings.port))) throw portTaken(settings.port, folder);
      await writeWhole(config, registryConfig({ data, settings }));
      const program = await findTool('docker-registry');
      if (await isCollectionAsked(folder)) await collectGarbage({ program, config, folder, log });
      return {
        program,
        args: ['serve', config],
        address: `127.0.0.1:${settings.port}`,
        deathSignal: 'TERM',
      };
    },
    isReady: (address) => {
      const request = `GET /v2/ HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`;
      return answers({ to: { port: Number(address.split(':')[1]) }, send: request, expect: /^HTTP\/1\.[01] 200 / });
    },
  };
}

/** What no manifest needs goes when the registry starts next: only then nobody can be pushing (distribution 2.8). */
export async function askForCollection(folder: string): Promise<void> {
  await writeFile(collectionMark(folder), '');
}

const collectionMark = (folder: string) => join(folder, 'collect');
/** Of a registry with millions of blobs; the start waits for it. */
const COLLECTION_MS = 60 * 60_000;

/** And was not done yet. */
export function isCollectionAsked(folder: string): Promise<boolean> {
  return access(collectionMark(folder)).then(
    () => true,
    () => false,
  );
}

/** Untagged manifests stay, as signatures and platforms are such. Killed, it has removed less, and goes on next time. */
async function collectGarbage(options: { program: string; config: string; folder: string; log(line: string): void }) {
  const { program, config, folder, log } = options;
  // It prints a line for each blob
  const quietly = ['-c', 'exec "$0" garbage-collect "$1" >/dev/null', program, config];
  const { exitCode, stderr } = await exec('sh', quietly, { timeout: COLLECTION_MS });
  if (exitCode === 0) return rm(collectionMark(folder), { force: true });
  const why = stderr.trim().split('\n').at(-1);
  log(`the embedded registry could not collect its garbage, and tries again when it starts next: ${why}`);
}

/** The port is chosen once, at the first start, since it is part of every reference. */
export async function registrySettings(folder: string): Promise<RegistrySettings> {
  const path = join(folder, 'settings.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) {
    const kept = RegistrySettings.safeParse(parseJson(text));
    if (kept.success) return kept.data;
    throw new FactoryError(
      `${path} is damaged: ${kept.error.issues[0]?.message}; write the port of your references ` +
        'there as {"port": 5000, "secret": "any"}, or delete the file to let a new port be chosen',
      {
        code: 'configuration',
      },
    );
  }
  const settings = { port: await choosePort(folder), secret: randomBytes(24).toString('base64url') };
  await writeWhole(path, `${JSON.stringify(settings)}\n`);
  return settings;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Below the kernel's ephemeral ports (32768 up), or an outgoing connection might sit on it at the next start. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** Begins at a number made from the folder's name, so that data directories seldom meet even when none is running. */
async function choosePort(folder: string): Promise<number> {
  const start = createHash('sha256').update(folder).digest().readUInt32BE(0);
  for (let step = 0; step < 200; step++) {
    const port = FIRST_PORT + ((start + step) % PORTS);
    if (await isFree(port)) return port;
  }
  throw new FactoryError('no free loopback port for the registry; name one of your own as "registry:" in ingot.yaml', {
    code: 'configuration',
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}

function portTaken(port: number, folder: string): FactoryError<'configuration'> {
  return new FactoryError(
    `port ${port} of the embedded registry is used by another program; find and stop it ` +
      `("ss -ltnp sport = :${port}"), since references name this port, or delete ${folder} to start with an empty ` +
      'registry on another one',
    { code: 'configuration', details: { port } },
  );
}

/** https://distribution.github.io/distribution/about/configuration/ for 2.8 */
export function registryConfig({ data, settings }: { data: string; settings: RegistrySettings }): string {
  return stringify({
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${settings.port}`, secret: settings.secret },
  });
}
