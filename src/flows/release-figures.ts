import { z } from 'zod';
import type { Digest } from '../domain/digest.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { PlatformFigures, ReleaseFigures } from '../domain/service/history.ts';
import { getArtifact } from '../image/artifact.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { Cataloguer } from '../scanner/scanner.ts';
import { BUNDLE_PREDICATE } from '../signer/signer.ts';
import { PREDICATE_TYPES } from '../signer/statements.ts';
import { SYFT_JSON } from './evidence.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';

export interface FiguresDeps {
  readonly registry: Registry;
  readonly cataloguer: Pick<Cataloguer, 'packages'>;
}

/** What is in a release, by what is attached to it; `undefined` when the tag is gone. Nothing is scanned. */
export async function readFigures(
  repository: Reference,
  version: string,
  deps: FiguresDeps,
  call: Call,
): Promise<ReleaseFigures | undefined> {
  const stored = await deps.registry.manifest(atTag(repository, version), call);
  if (stored === undefined) return undefined;
  const index = parseManifest(stored.bytes, 'an index');
  const created = index.annotations?.[ANNOTATIONS.created];
  const platforms = await Promise.all(
    Object.entries(childDigests(index)).map(async ([platform, digest]) => {
      const figures = await readPlatform(atDigest(repository, digest!), digest!, deps, call);
      return figures === undefined ? [] : [[platform, figures] as const];
    }),
  );
  const { digest } = stored.descriptor;
  return { version, digest, ...(created && { created }), platforms: Object.fromEntries(platforms.flat()) };
}

async function readPlatform(
  subject: Reference,
  digest: Digest,
  { registry, cataloguer }: FiguresDeps,
  call: Call,
): Promise<PlatformFigures | undefined> {
  const manifest = await registry.manifest(subject, call);
  if (manifest === undefined) return undefined;
  const { layers = [] } = parseManifest(manifest.bytes, 'a manifest');
  const referrers = await registry.referrers(subject, call);
  const contentOf = async (found: { readonly digest: Digest } | undefined) =>
    found && (await getArtifact(registry, atDigest(subject, found.digest), call))?.layers[0]?.content;
  const sbom = await contentOf(referrers.find(({ artifactType }) => artifactType === SYFT_JSON));
  const isReport = (each: (typeof referrers)[number]) =>
    each.annotations?.[BUNDLE_PREDICATE] === PREDICATE_TYPES.vulnerabilities;
  const findings = findingsIn(await contentOf(referrers.find(isReport)));
  return {
    ...{ digest, size: layers.reduce((sum, { size }) => sum + size, 0) },
    ...(sbom && { packages: cataloguer.packages(sbom).length }),
    ...(findings && { findings }),
  };
}

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;

const Bundle = z.object({ dsseEnvelope: z.object({ payload: z.base64() }) });
const Report = z.object({
  predicate: z.object({
    scanner: z.object({
      result: z.object({ findings: z.array(z.object({ severity: z.enum(SEVERITIES).catch('unknown') })) }),
    }),
  }),
});

/** Shown, not judged by: the signature is not verified here. */
function findingsIn(bundle: Uint8Array | undefined): PlatformFigures['findings'] {
  if (bundle === undefined) return undefined;
  try {
    const { payload } = Bundle.parse(parse(bundle)).dsseEnvelope;
    const { findings } = Report.parse(parse(Buffer.from(payload, 'base64'))).predicate.scanner.result;
    const groups = Map.groupBy(findings, ({ severity }) => severity);
    return Object.fromEntries([...groups].map(([severity, each]) => [severity, each.length]));
  } catch {
    return undefined; // anybody who can push can attach what they like
  }
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
