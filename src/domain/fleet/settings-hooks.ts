import { z } from 'zod';
import { HOOK_DIALECTS, type HookDialect, type HookSettings } from '../hooks.ts';
import { VariableName } from './values.ts';

/** Where a secret is; never the secret itself. */
export const SecretPlace = z.union(
  [z.strictObject({ env: VariableName }), z.strictObject({ file: z.string().min(1, 'is empty') })],
  { error: 'must say where the secret is; write { env: NAME_OF_A_VARIABLE } or { file: path }' },
);

const Hook = z
  .strictObject({
    secret: SecretPlace,
    registry: z
      .string()
      .regex(/^[a-zA-Z0-9.-]+(?::\d+)?$/, 'must be a host, as in registry.acme.example:5000')
      .optional(),
  })
  .transform(({ secret, registry }): HookSettings => ({ secret, ...(registry === undefined ? {} : { registry }) }));

export const Hooks = z.partialRecord(z.enum(HOOK_DIALECTS), Hook);
export type Hooks = Readonly<Partial<Record<HookDialect, HookSettings>>>;
