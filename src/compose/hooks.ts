import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';

/** A secret from where ingot.yaml says. @throws FactoryError `forbidden` when nothing is there: it counts as locked */
export async function readSecret(
  place: { readonly env: string } | { readonly file: string },
  { root, secret, redaction }: Pick<Config, 'root' | 'secret' | 'redaction'>,
): Promise<string> {
  if ('env' in place) {
    const found = secret(place.env)?.trim();
    if (found) return found;
    throw missing(`the variable ${place.env} is empty`);
  }
  const text = await readFile(resolve(root, place.file), 'utf8').catch((cause: Error) => {
    throw missing(`${place.file} cannot be read`, cause);
  });
  if (text.trim() === '') throw missing(`${place.file} is empty`);
  redaction.learn(text);
  return text.trim();
}

function missing(what: string, cause?: unknown): FactoryError<'forbidden'> {
  return new FactoryError(`its secret is not there: ${what}, where "ingot serve" runs`, { code: 'forbidden', cause });
}
