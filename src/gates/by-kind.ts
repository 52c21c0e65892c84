import type { GateTest } from '../domain/fleet/settings-gates.ts';
import type { GateRunner } from './gates.ts';

/** Hands each gate to the runner of its kind. */
export function createGateRunner(runners: Readonly<Record<GateTest['kind'], GateRunner>>): GateRunner {
  return { ask: (gate, subject, call) => runners[gate.test.kind].ask(gate, subject, call) };
}
