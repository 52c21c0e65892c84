import { rm, writeFile } from 'node:fs/promises';
import { FactoryError } from '../domain/errors.ts';
import { generateKeyPair } from '../signer/key.ts';

export interface KeysCreateOptions {
  /** Path without ending; default `ingot` in the current folder. */
  readonly out?: string | undefined;
  /** Replace an existing pair. */
  readonly force?: boolean | undefined;
  readonly print: (line: string) => void;
}

/**
 * `ingot keys create`: writes a key pair, the private half readable by its owner alone.
 * @returns the exit code
 * @throws FactoryError `usage` when a file is there already
 */
export async function keysCreate({ out = 'ingot', force = false, print }: KeysCreateOptions): Promise<number> {
  const [privatePath, publicPath] = [`${out}.key`, `${out}.pub`];
  const { privateKey, publicKey } = generateKeyPair();
  // An existing file would keep its mode.
  if (force) await Promise.all([privatePath, publicPath].map((path) => rm(path, { force: true })));
  // The public half first: a failure leaves no private key that nobody knows of.
  await writeNew(publicPath, publicKey, 0o644);
  await writeNew(privatePath, privateKey, 0o600);
  for (const line of usage(privatePath, publicPath)) print(line);
  return 0;
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { mode, flag: 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'EEXIST'
        ? `${path} is there already; what it signed can be verified with its public key only. Choose another name with --out, or --force to replace it`
        : `${path} cannot be written (${code})`;
    throw new FactoryError(why, { code: 'usage', cause: error });
  }
}

function usage(privatePath: string, publicPath: string): string[] {
  return [
    `wrote ${privatePath} (private, not encrypted: keep it in a secret store, never in git) and ${publicPath} (for everybody)`,
    '',
    'To sign with it, put one of these into ingot.yaml:',
    '  signing: { key: { env: INGOT_SIGNING_KEY } }   # the variable holds the content of the private file',
    `  signing: { key: { file: ${privatePath} } }`,
    '',
    'To verify:',
    `  ingot verify REFERENCE --key ${publicPath}`,
  ];
}
