import { z } from 'zod';
import type { Digest } from '../domain/digest.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { atTag, type Reference } from '../domain/reference.ts';
import type { SmokeReport, Verdict } from '../domain/verdict.ts';
import { getArtifact, putArtifact } from '../image/artifact.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { Sbom, ScanReport } from '../scanner/scanner.ts';

/** Artifact types of what is kept beside a candidate in staging. Unsigned: nobody trusts them for release. */
export const EVIDENCE = {
  smoke: 'application/vnd.ingot.smoke.v1+json',
  sbom: 'application/vnd.ingot.sbom.v1+json',
  scan: 'application/vnd.ingot.scan.v1+json',
  verdict: 'application/vnd.ingot.verdict.v1+json',
} as const;

export const SYFT_JSON = 'application/vnd.syft+json';
export const SPDX_JSON = 'application/spdx+json';

/** The manifest that evidence is about; evidence about another manifest under the same name does not count. */
export const SUBJECT = 'io.ingot.subject';

const SmokeReportSchema = z.object({
  results: z.array(z.object({ name: z.string(), passed: z.boolean(), message: z.string().optional() })),
}) as z.ZodType<SmokeReport>;

const ScanReportSchema = z.object({
  findings: z.array(
    z.object({
      id: z.string(),
      severity: z.enum(['critical', 'high', 'medium', 'low', 'negligible', 'unknown']),
      source: z.string(),
      packages: z.array(z.string()),
      installed: z.string(),
      fix: z.object({
        state: z.enum(['fixed', 'not-fixed', 'wont-fix', 'unknown']),
        versions: z.array(z.string()),
        since: z.string().optional(),
      }),
      url: z.string().optional(),
      exploited: z.boolean().optional(),
    }),
  ),
  database: z.object({ id: z.string(), built: z.string() }),
  scanner: z.object({ name: z.string(), version: z.string() }),
}) as z.ZodType<ScanReport>;

const PolicyFindings = z.array(z.looseObject({ check: z.string(), level: z.string(), message: z.string() }));

const VerdictSchema = z.object({
  allowed: z.boolean(),
  blocked: PolicyFindings,
  warnings: PolicyFindings,
  waived: z.array(z.looseObject({})),
  checks: z.array(z.string()),
  notes: z.array(z.string()),
}) as unknown as z.ZodType<Verdict>;

/** Small documents about candidates, kept under tags in staging. */
export interface EvidenceStore {
  has(tag: string, subject: Digest, call: Call): Promise<boolean>;
  smoke(tag: string, call: Call): Promise<SmokeReport | undefined>;
  sbom(tag: string, call: Call): Promise<Sbom | undefined>;
  scan(tag: string, call: Call): Promise<ScanReport | undefined>;
  verdict(tag: string, call: Call): Promise<Verdict | undefined>;
  putSbom(tag: string, subject: Digest, sbom: Sbom, call: Call): Promise<void>;
  putJson(tag: string, kind: keyof typeof EVIDENCE, subject: Digest, value: unknown, call: Call): Promise<void>;
}

export function createEvidenceStore(registry: Registry, staging: Reference): EvidenceStore {
  const put = async (tag: string, kind: keyof typeof EVIDENCE, subject: Digest, layers: Layer[], call: Call) => {
    const artifact = { artifactType: EVIDENCE[kind], layers, annotations: { [SUBJECT]: subject } };
    await putArtifact(registry, atTag(staging, tag), artifact, call);
  };
  const layersOf = async (tag: string, call: Call) => (await getArtifact(registry, atTag(staging, tag), call))?.layers;
  const json = async <T>(tag: string, schema: z.ZodType<T>, call: Call) => {
    const layer = (await layersOf(tag, call))?.[0];
    return layer === undefined ? undefined : schema.parse(JSON.parse(Buffer.from(layer.content).toString('utf8')));
  };
  return {
    async has(tag, subject, call) {
      const stored = await registry.manifest(atTag(staging, tag), call);
      if (stored === undefined) return false;
      const { annotations } = parseManifest(stored.bytes, 'evidence');
      return annotations?.[SUBJECT] === subject;
    },
    smoke: (tag, call) => json(tag, SmokeReportSchema, call),
    scan: (tag, call) => json(tag, ScanReportSchema, call),
    verdict: (tag, call) => json(tag, VerdictSchema, call),
    async sbom(tag, call) {
      const layers = await layersOf(tag, call);
      const native = layers?.find(({ mediaType }) => mediaType === SYFT_JSON)?.content;
      const spdx = layers?.find(({ mediaType }) => mediaType === SPDX_JSON)?.content;
      return native === undefined || spdx === undefined ? undefined : { native, spdx };
    },
    putSbom: (tag, subject, { native, spdx }, call) =>
      put(
        tag,
        'sbom',
        subject,
        [
          { mediaType: SYFT_JSON, content: native },
          { mediaType: SPDX_JSON, content: spdx },
        ],
        call,
      ),
    putJson: (tag, kind, subject, value, call) =>
      put(tag, kind, subject, [{ mediaType: EVIDENCE[kind], content: Buffer.from(canonicalJson(value)) }], call),
  };
}

interface Layer {
  readonly mediaType: string;
  readonly content: Uint8Array;
}
