import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import { suggestion } from '../domain/fleet/nearest.ts';

/** @throws FactoryError `usage` for a name that no image of the fleet has */
export function requireImages(names: readonly string[], images: readonly Image[]): void {
  const known = images.map(({ name }) => name);
  const missing = names.find((name) => !known.includes(name));
  if (missing === undefined) return;
  const hint = suggestion(missing, known);
  throw new FactoryError(`the fleet has no image ${missing}${hint === undefined ? '' : `; ${hint}`}`, {
    code: 'usage',
  });
}
