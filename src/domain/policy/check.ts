import type { PolicySettings } from '../fleet/model.ts';
import type { CandidateFacts, PolicyFinding } from '../verdict.ts';

/** One rule of the policy: facts in, findings out. What its level is `off` for it does not look at. */
export interface PolicyCheck {
  readonly id: string;
  run(facts: CandidateFacts, settings: PolicySettings, now: Date): readonly PolicyFinding[];
}
