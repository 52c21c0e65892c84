import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

const TOOLS = join(import.meta.dirname, '..', '..', '.tools', 'bin');

/** PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A BuildKit that asks for certificates. */
export interface TlsBuilder {
  /** `tcp://127.0.0.1:port` */
  readonly address: string;
  readonly client: Certificates;
  /** Of another authority. */
  readonly stranger: Certificates;
  /** It ran out when it was made. */
  readonly expired: Certificates;
  stop(): Promise<void>;
}

/** @param insecureRegistry `host:port` that speaks plain HTTP */
export async function startTlsBuilder(insecureRegistry: string): Promise<TlsBuilder> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tls-'));
  const [own, other] = [await authority(folder, 'own'), await authority(folder, 'other')];
  const server = await own('server');
  const client = await own('client');
  const stranger = { ...(await other('client')), ca: server.ca };
  const expired = await own('expired', 0);
  const { child, address } = await startDaemon(folder, server, insecureRegistry);
  return {
    ...{ address, client, stranger, expired },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL'); // unshare ends what it started
      await exited;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** @returns makes certificates of it for 127.0.0.1 */
async function authority(folder: string, name: string) {
  const at = (file: string) => join(folder, name, file);
  await mkdir(at('.'), { recursive: true });
  const ca = { cert: at('ca.pem'), key: at('ca.key') };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', '-keyout', ca.key, '-out', ca.cert);
  return async (who: string, days = 2): Promise<Certificates> => {
    const [cert, key, request, extensions] = [`${who}.pem`, `${who}.key`, `${who}.csr`, `${who}.ext`].map(at) as [
      string,
      string,
      string,
      string,
    ];
    await writeFile(extensions, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    await openssl('req', ...newKey, '-subj', `/CN=${who}`, '-keyout', key, '-out', request);
    const by = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-extfile', extensions];
    await openssl('x509', '-req', '-in', request, ...by, '-days', String(days), '-out', cert);
    return { ca: ca.cert, cert, key };
  };
}

async function openssl(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await exec('openssl', args, { timeout: 30_000 });
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

/** With mounts and processes of its own, as the embedded one: nothing is left when it ends. */
async function startDaemon(
  folder: string,
  { ca, cert, key }: Certificates,
  insecureRegistry: string,
): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const config = join(folder, 'buildkitd.toml');
  await writeFile(config, `[registry.${JSON.stringify(insecureRegistry)}]\n  http = true\n`);
  const apart = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--'];
  const tls = [`--tlscacert=${ca}`, `--tlscert=${cert}`, `--tlskey=${key}`];
  const place = [`--config=${config}`, `--root=${join(folder, 'root')}`, `--otel-socket-path=${join(folder, 'otel')}`];
  const worker = ['--containerd-worker=false', '--oci-worker-net=host'];
  const daemon = [join(TOOLS, 'buildkitd'), '--addr=tcp://127.0.0.1:0', ...tls, ...place, ...worker];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'unshare', ...apart, ...daemon], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const port = /running server on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) resolve(port);
  });
  child.once('exit', (code) => reject(new Error(`buildkitd ended with ${code}:\n${said}`)));
  return { child, address: `tcp://127.0.0.1:${await promise}` };
}
