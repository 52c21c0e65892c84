import type { Gate, GateTest } from '../domain/fleet/settings-gates.ts';
import { ExecError, exec } from '../lib/exec.ts';
import {
  factsOf,
  type GateAnswer,
  GateError,
  type GateErrorCode,
  type GateRunner,
  type GateSubject,
  lastWords,
} from './gates.ts';

export interface CommandGateOptions {
  /** Folder of ingot.yaml: commands run there. */
  readonly root: string;
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Of a shell: what it was to run could not be started, does not exist. */
const NOT_STARTED = [126, 127];

/** A program of the organisation: exit 0 passes. It sees the environment of ingot without ingot's secrets. */
export function createCommandGate({ root }: CommandGateOptions): GateRunner {
  return {
    async ask(gate, subject, { signal }) {
      const [program, ...args] = (gate.test as Extract<GateTest, { kind: 'command' }>).argv;
      const limits = { timeout: gate.timeoutSeconds * 1000, maxBuffer: MAX_OUTPUT_BYTES, signal };
      try {
        const ended = await exec(program!, args, { cwd: root, env: environmentOf(gate, subject), ...limits });
        return toAnswer(gate, ended.exitCode, `${ended.stdout.toString('utf8')}\n${ended.stderr}`);
      } catch (error) {
        if (error instanceof ExecError) return refusalOf(gate, error);
        throw error;
      }
    },
  };
}

/** Names that scripts can rely on. */
export function environmentOf(gate: Gate, subject: GateSubject): Readonly<Record<string, string>> {
  const { image, version, reference, digest, platforms, reasons } = factsOf(gate, subject);
  return {
    INGOT_GATE: gate.name,
    INGOT_WHEN: gate.when,
    INGOT_IMAGE: image,
    INGOT_VERSION: version,
    INGOT_REFERENCE: reference,
    INGOT_DIGEST: digest,
    INGOT_PLATFORMS: Object.keys(platforms).join(' '),
    INGOT_REASONS: reasons.join('; '),
  };
}

function toAnswer(gate: Gate, exitCode: number, output: string): GateAnswer {
  const words = lastWords(output);
  if (exitCode === 0) return { passed: true, message: words };
  if (NOT_STARTED.includes(exitCode)) throw notAsked(gate, words, 'configuration');
  return { passed: false, message: `exit ${exitCode}${words === '' ? '' : `: ${words}`}` };
}

/** What hangs or never stops talking refuses; what is not there, or was ended by others, was not asked. */
function refusalOf(gate: Gate, error: ExecError): GateAnswer {
  if (error.code === 'timed-out') return tooLong(gate);
  if (error.code === 'output-too-large') return { passed: false, message: 'wrote too much' };
  const code = error.code === 'cancelled' || error.code === 'not-found' ? error.code : 'unavailable';
  throw notAsked(gate, error.message, code === 'not-found' ? 'configuration' : code);
}

function tooLong({ timeoutSeconds }: Gate): GateAnswer {
  return { passed: false, message: `took longer than ${timeoutSeconds} s` };
}

function notAsked(gate: Gate, why: string, code: GateErrorCode): GateError {
  return new GateError(`the gate ${gate.name} could not be asked: ${why}`, { code, retryable: code === 'unavailable' });
}
