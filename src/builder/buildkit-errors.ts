import type { ExecError } from '../lib/exec.ts';
import { BuilderError, type BuilderErrorCode } from './builder.ts';
import type { Progress, Step } from './progress.ts';

const LOG_LINES = 40;
const MAX_MESSAGE = 600;

const EXIT_CODE = /did not complete successfully: exit code: (\d+)/;

/**
 * CNCF distribution 2.8 on a file system writes the link to a layer in place. Who pushes a manifest while another pushes
 * the same layer to the same repository, as the platforms of one image do, may find that link empty.
 */
const PUSH_RACED = /failed to push .*(provided digest did not match uploaded content|blob unknown to registry)/is;

/** Words of BuildKit and containerd (0.34, all seen but the last two lines of `unavailable`), in the order in which they are looked for. */
const CAUSES: readonly { code: BuilderErrorCode; retryable: boolean; pattern: RegExp; remedy: string }[] = [
  { code: 'no-space', retryable: true, pattern: /no space left on device/i, remedy: 'free disk space on the builder' },
  {
    code: 'rate-limited',
    retryable: true,
    pattern: /429 Too Many Requests|toomanyrequests/i,
    remedy: 'the registry asks to come back later',
  },
  {
    code: 'unavailable',
    retryable: true,
    pattern: PUSH_RACED,
    remedy: 'pushes of the same layer met in the registry; run again',
  },
  {
    code: 'unauthorised',
    retryable: false,
    pattern:
      /authentication handshake failed|\bx509: |could not read (ca )?certificate|does not look like a TLS handshake/i,
    remedy: 'check "ca", "cert" and "key" of this builder in ingot.yaml (docs/service.md, Builders elsewhere)',
  },
  {
    code: 'unauthorised',
    retryable: false,
    pattern: /401 Unauthorized|403 Forbidden|: denied:|insufficient_scope|authorization failed|access denied/i,
    remedy: 'give the builder credentials for that registry (docker login)',
  },
  {
    code: 'base-not-found',
    retryable: false,
    pattern: /failed to resolve source metadata .*(not found|manifest unknown)|MANIFEST_UNKNOWN/is,
    remedy: 'the image is not in that registry',
  },
  {
    code: 'unavailable',
    retryable: true,
    pattern:
      /Error while dialing|\bUnavailable:|connection re(fused|set)|broken pipe|remote error: tls|error reading from server|\bEOF\b|5\d\d (Internal|Bad|Service|Gateway)|no such host|i\/o timeout|TLS handshake timeout|deadline exceeded|context canceled|closing transport/i,
    remedy: 'the builder or a registry did not answer',
  },
];

/** Whether all was built, and the push alone met another one: the next may go through. */
export function isPushRaced({ message }: Progress): boolean {
  return PUSH_RACED.test(message);
}

/** The exit code of a RUN that failed, and its step. */
export function failedRun({ steps, message }: Progress): { step: Step; exitCode: number } | undefined {
  const step = steps.findLast(({ error }) => error !== undefined && EXIT_CODE.test(error));
  const exitCode = EXIT_CODE.exec(step?.error ?? '')?.[1];
  if (step === undefined || exitCode === undefined) return undefined;
  return EXIT_CODE.test(message) ? { step, exitCode: Number(exitCode) } : undefined;
}

/** Says why a build failed. Only what passes by itself is worth another try: registries, the network, the daemon, a full disk. */
export function buildError(progress: Progress, redact: (text: string) => string): BuilderError {
  const failed = failedRun(progress);
  if (failed !== undefined) return runError(failed, redact);
  const said = redact(lastWords(progress.message));
  const cause = CAUSES.find(({ pattern }) => pattern.test(said));
  if (cause === undefined)
    return new BuilderError(`the build failed: ${said}`, { code: 'build-failed', details: { log: [] } });
  const { code, retryable, remedy } = cause;
  return new BuilderError(`the build failed: ${said}; ${remedy}`, { code, retryable, details: { log: [] } });
}

function runError(
  { step, exitCode }: { step: Step; exitCode: number },
  redact: (text: string) => string,
): BuilderError {
  const log = step.lines.slice(-LOG_LINES).map(redact);
  const full = log.some((line) => /no space left on device/i.test(line));
  const what = redact(step.name.replace(/^\[[^\]]*\] /, '')).slice(0, 200);
  const message = `${what} failed with exit code ${exitCode}${full ? ': the builder has no disk space left' : ''}`;
  const code = full ? 'no-space' : 'build-failed';
  return new BuilderError(message, { code, retryable: full, details: { exitCode, log } });
}

/** `error: failed to solve: why`: the why alone, bounded. */
function lastWords(message: string): string {
  const said = message
    .slice(message.lastIndexOf('error: '))
    .replace(/^error: (failed to solve: )?/, '')
    .trim();
  return said.length <= MAX_MESSAGE ? said || 'buildctl gave no reason' : `…${said.slice(-MAX_MESSAGE)}`;
}

/** The daemon does not let us in. */
export function refusedByTls(address: string, why: string): BuilderError {
  const remedy = 'set "ca", "cert" and "key" of this builder in ingot.yaml to what it accepts';
  return new BuilderError(`the builder ${address} refuses us: ${why}; ${remedy}`, { code: 'unauthorised' });
}

/** buildctl could not be run to its end. */
export function execFailure(error: ExecError, redact: (text: string) => string): BuilderError {
  const options = { cause: error };
  switch (error.code) {
    case 'cancelled':
      return cancelled();
    case 'timed-out':
      return new BuilderError('the build took too long', { code: 'timed-out', ...options });
    case 'not-found':
      return new BuilderError(`${error.message}; "ingot doctor" says how to get it`, {
        code: 'configuration',
        ...options,
      });
    case 'output-too-large':
      return new BuilderError('the build wrote more output than is kept', { code: 'build-failed', ...options });
    default:
      return new BuilderError(redact(error.message), { code: 'unavailable', retryable: true, ...options });
  }
}

export function cancelled(): BuilderError {
  return new BuilderError('the build was cancelled', { code: 'cancelled' });
}
