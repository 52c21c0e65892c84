import { digestOf } from '../domain/digest.ts';
import type { Scanner, ScanReport } from './scanner.ts';

/** Reports that are kept; one is some 100 KiB. */
const MAX_REPORTS = 256;

/** Scans an SBOM once for each database: verdict, attestation and pull request all ask for the same. */
export function createRememberingScanner(scanner: Scanner): Scanner {
  const reports = new Map<string, Promise<ScanReport>>();
  return {
    name: scanner.name,
    database: (signal) => scanner.database(signal),
    async scan(native, options) {
      const { id } = await scanner.database(options?.signal);
      const key = `${id} ${digestOf(native)}`;
      const known = reports.get(key);
      if (known !== undefined) return known;
      const report = scanner.scan(native, options);
      reports.set(key, report);
      report.catch(() => reports.delete(key));
      if (reports.size > MAX_REPORTS) reports.delete(reports.keys().next().value!);
      return report;
    },
  };
}
