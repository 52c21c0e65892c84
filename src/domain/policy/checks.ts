import type { PolicyCheck } from './check.ts';
import { inputsCheck } from './inputs.ts';
import { layersCheck } from './layers.ts';
import { packagesCheck } from './packages.ts';
import { platformsCheck } from './platforms.ts';
import { secretsCheck } from './secrets.ts';
import { sizeCheck } from './size.ts';
import { smokeCheck } from './smoke.ts';
import { userCheck } from './user.ts';
import { vulnerabilitiesCheck } from './vulnerabilities.ts';

/** Every check, in the order in which its findings are shown. */
export const POLICY_CHECKS: readonly PolicyCheck[] = [
  platformsCheck,
  smokeCheck,
  vulnerabilitiesCheck,
  secretsCheck,
  userCheck,
  inputsCheck,
  packagesCheck,
  sizeCheck,
  layersCheck,
];
