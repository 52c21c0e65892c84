import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ExecError, type ExecOptions, type ExecResult, exec } from '../lib/exec.ts';
import { ScannerError } from './scanner.ts';

const MAX_WORDS = 800;
const LAST_LINES = 6;

/** Runs syft or grype; a non-zero exit is a result. */
export async function runTool(program: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  try {
    return await exec(program, args, options);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    const { message } = error;
    if (error.code === 'cancelled') throw new ScannerError(message, { code: 'cancelled' });
    if (error.code === 'timed-out') throw new ScannerError(message, { code: 'timed-out', retryable: true });
    if (error.code === 'not-found')
      throw new ScannerError(`${message}; "ingot doctor" says how to get it`, { code: 'configuration', cause: error });
    throw new ScannerError(message, { code: 'tool-failed', retryable: error.retryable, cause: error });
  }
}

/** The registry or network did not answer, or asked to come back later: worth another try. */
const PASSING =
  /TOOMANYREQUESTS|429 Too Many|connection re(fused|set)|no such host|i\/o timeout|TLS handshake timeout|unexpected EOF|deadline exceeded|unexpected status code 5\d\d|\b5\d\d (Internal|Bad|Service|Gateway)/i;

/** What a tool that failed said at its end, as an error. `what` is what it was to do. */
export function toolError(what: string, stderr: string): ScannerError {
  const said = lastLines(stderr);
  const passing = PASSING.test(said);
  return new ScannerError(`${what}: ${said}`, { code: passing ? 'unavailable' : 'tool-failed', retryable: passing });
}

/** The last lines without colours, time stamps and levels, as one bounded line. */
export function lastLines(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split('\n')
    .map((line) => line.replace(/^(?:\[\d+\])?\s*(?:ERROR |WARN |- )?/, '').trim())
    .filter((line) => line !== '');
  const said = [...new Set(lines)].slice(-LAST_LINES).join('; ').replaceAll(':; ', ': ');
  return said === '' ? 'it gave no reason' : said.slice(-MAX_WORDS);
}

/**
 * A folder for one run of a tool, with an empty configuration file: settings in somebody's home or working directory
 * must not decide what is found.
 */
export async function withToolFolder<T>(use: (folder: { path: string; config: string }) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'ingot-scan-'));
  try {
    const config = join(path, 'config.yaml');
    await writeFile(config, '');
    return await use({ path, config });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
