import { z } from 'zod';
import { groupMatches, type Match } from './grype-findings.ts';
import { ScannerError, type ScanReport, type VulnerabilityDatabase } from './scanner.ts';

/** `grype db status -o json` (grype 0.116, grype/db/v6/status.go). */
const Status = z.object({
  schemaVersion: z.string().default(''),
  /** `manual import`, or the URL with `?checksum=sha256:…` that it was fetched from. */
  from: z.string().default(''),
  built: z.string(),
  path: z.string(),
});

const Report = z.object({
  matches: z.array(
    z.object({
      vulnerability: z.object({
        id: z.string(),
        severity: z.string().default('Unknown'),
        dataSource: z.string().optional(),
        fix: z
          .object({
            versions: z.array(z.string()).nullish(),
            state: z.string().default('unknown'),
            available: z.array(z.object({ date: z.string() })).nullish(),
          })
          .optional(),
        knownExploited: z.array(z.unknown()).nullish(),
      }),
      artifact: z.object({
        name: z.string(),
        version: z.string(),
        upstreams: z.array(z.object({ name: z.string(), version: z.string().optional() })).nullish(),
      }),
    }) satisfies z.ZodType<Match>,
  ),
  descriptor: z.object({ name: z.string(), version: z.string(), db: z.object({ status: Status }) }),
});

/** @throws ScannerError `protocol` */
export function parseReport(text: string): ScanReport {
  const { matches, descriptor } = parse(Report, text);
  const { name, version, db } = descriptor;
  return { findings: groupMatches(matches), database: databaseOf(db.status), scanner: { name, version } };
}

/** @throws ScannerError `protocol` */
export function parseDatabase(text: string): VulnerabilityDatabase {
  return databaseOf(parse(Status, text));
}

/**
 * The checksum of the archive that the database came from: in the name of the folder that we imported it into, or in
 * the address that grype fetched it from; else the time it was built.
 */
function databaseOf({ path, from, built, schemaVersion }: z.infer<typeof Status>): VulnerabilityDatabase {
  const imported = /\/(sha256|xxh64)-([0-9a-f]+)\/\d+\/vulnerability\.db$/.exec(path);
  const fetched = /checksum=(sha256(?::|%3A)[0-9a-f]{64})/i.exec(from)?.[1]?.replace(/%3A/i, ':');
  const id = imported ? `${imported[1]}:${imported[2]}` : (fetched ?? `${schemaVersion} built ${built}`);
  return { id, built };
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ScannerError('grype answered with other JSON than is known', { code: 'protocol', cause });
  }
}
