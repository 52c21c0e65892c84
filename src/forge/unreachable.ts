import type { FactoryError } from '../domain/errors.ts';
import type { ForgeRepository } from './forge.ts';

/** Stands for repositories that could not even be listed, so that they are reported as all that cannot be asked. */
export function unreachable(name: string, why: FactoryError): ForgeRepository {
  const refuse = async () => {
    throw why;
  };
  return {
    name,
    closesWithBranch: false,
    head: refuse,
    look: refuse,
    files: refuse,
    read: refuse,
    branch: refuse,
    isOurs: refuse,
    commit: refuse,
    removeBranch: refuse,
    pulls: refuse,
    openPull: refuse,
    updatePull: refuse,
    merge: refuse,
    mergeWhenReady: refuse,
    comments: refuse,
    comment: refuse,
    checks: refuse,
  };
}
