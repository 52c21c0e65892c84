import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabases, DATABASE_REMEDY, type Databases, GRYPE_ENVIRONMENT } from './grype-database.ts';
import { parseDatabase, parseReport } from './grype-json.ts';
import { type Scanner, ScannerError, type ScanReport, type VulnerabilityDatabase } from './scanner.ts';
import { runTool, toolError, withToolFolder } from './tool.ts';

export interface GrypeOptions {
  /** Path of the grype program. */
  readonly grype: string;
  /** Where databases are kept; made when missing. */
  readonly databaseDirectory: string;
  /** Path or URL of a database archive to use. Absent: grype's own updates, looked for once per process. */
  readonly database?: string | undefined;
}

type Run = (args: readonly string[], options: { signal?: AbortSignal | undefined; folder?: string }) => Promise<string>;

/** Matches packages with vulnerabilities by grype (0.116) over the SBOM alone: the image is not pulled. */
export function createGrype(options: GrypeOptions): Scanner {
  const databases = createDatabases(options);
  return {
    name: 'grype',
    database: (signal) => withRun(options, databases, signal, (run) => readDatabase(run, signal)),
    scan: (native, { signal } = {}) =>
      withRun(options, databases, signal, (run, folder) => scan(run, { native, folder, signal })),
  };
}

async function readDatabase(run: Run, signal?: AbortSignal): Promise<VulnerabilityDatabase> {
  return parseDatabase(await run(['db', 'status', '--output', 'json'], { signal }));
}

interface Scan {
  readonly native: Uint8Array;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

async function scan(run: Run, { native, folder, signal }: Scan): Promise<ScanReport> {
  const sbom = join(folder, 'sbom.json');
  await writeFile(sbom, native);
  return parseReport(await run([`sbom:${sbom}`, '--output', 'json'], { signal }));
}

/** Hands over a grype that uses one complete database, whatever others import meanwhile. */
function withRun<T>(
  { grype }: GrypeOptions,
  databases: Databases,
  signal: AbortSignal | undefined,
  use: (run: Run, folder: string) => Promise<T>,
): Promise<T> {
  return withToolFolder(async ({ path, config }) => {
    const env = { ...GRYPE_ENVIRONMENT, ...(await databases.current(signal)) };
    const run: Run = async (args, options) => {
      const all = [...args, '--config', config];
      const { exitCode, stdout, stderr } = await runTool(grype, all, { cwd: path, env, signal: options.signal });
      if (exitCode === 0) return stdout.toString('utf8');
      throw noDatabase(`${stdout.toString('utf8', 0, 2_000)}\n${stderr}`) ?? toolError('grype failed', stderr);
    };
    return use(run, path);
  });
}

function noDatabase(said: string): ScannerError | undefined {
  if (/database does not exist|failed to load vulnerability db: .*no such file/i.test(said))
    return new ScannerError(`there is no vulnerability database; ${DATABASE_REMEDY}`, { code: 'no-database' });
  const [tooOld] = /the vulnerability database was built [^"\n]*/i.exec(said) ?? [];
  return tooOld === undefined ? undefined : new ScannerError(`${tooOld}; ${DATABASE_REMEDY}`, { code: 'no-database' });
}
