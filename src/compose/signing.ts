import { join } from 'node:path';
import { type Config, readSigningKey } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Settings } from '../domain/fleet/model.ts';
import { ensureKey } from '../signer/key-file.ts';
import type { Attestor } from '../signer/signer.ts';

/** The configured key, or one in the data directory for who has no registry of their own. */
export async function signingKey(config: Config, settings: Settings): Promise<string> {
  const configured = await readSigningKey(settings.signing, config);
  if (configured !== undefined) return configured;
  if (settings.registry === undefined) return ensureKey(join(config.dataDirectory, 'keys'));
  throw new FactoryError(
    'ingot.yaml names a registry but no signing key; "ingot keys create" makes one, then set signing: { key: { file: … } } or INGOT_SIGNING_KEY',
    { code: 'configuration' },
  );
}

/** For a process that was given no key: it has nothing to do with signatures. */
export function withoutKey(): Attestor {
  const refuse = async (): Promise<never> => {
    throw new FactoryError('this worker has no signing key; give it the role "release" and a key', {
      code: 'configuration',
    });
  };
  return { sign: refuse, verify: refuse, attest: refuse, statements: refuse } as unknown as Attestor;
}
