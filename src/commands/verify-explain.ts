import type { Digest } from '../domain/digest.ts';
import { atDigest, formatReference, type Reference, repositoryOf } from '../domain/reference.ts';
import { PREDICATE_TYPES } from '../signer/statements.ts';

export interface ExplainOptions {
  readonly keyFile?: string | undefined;
  readonly http?: boolean | undefined;
}

/** Text to copy: how cosign, podman and skopeo come to the same answer, without trusting ingot. */
export function explainVerification(reference: Reference, digest: Digest, options: ExplainOptions): readonly string[] {
  const key = options.keyFile ?? 'ingot.pub';
  const image = formatReference(atDigest(reference, digest));
  return [
    '',
    ...cosign(image, key, options.http ? ' --allow-http-registry' : ''),
    '',
    ...podman(reference, key, options),
  ];
}

function cosign(image: string, key: string, http: string): string[] {
  const flags = `--key ${key} --insecure-ignore-tlog${http}`;
  return [
    '# cosign 3 (no transparency log is used; nothing but the registry is asked)',
    `cosign verify ${flags} ${image}`,
    `cosign verify-attestation ${flags} --type slsaprovenance1 ${image}`,
    `cosign verify-attestation ${flags} --type ${PREDICATE_TYPES.verdict} ${image}`,
    '# per platform, with the digest of the platform: --type spdxjson, --type vuln',
    '',
    '# cosign 2.6: fetches a trust root that a key does not need; off the internet give it an empty one',
    `echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' > no-trust-root.json`,
    `cosign verify ${flags} --trusted-root no-trust-root.json ${image}`,
    '# cosign 2.4 and older read the legacy signature',
    `cosign verify ${flags} ${image}`,
  ];
}

function podman(reference: Reference, key: string, { http }: ExplainOptions): string[] {
  const repository = repositoryOf(reference);
  const policy = {
    default: [{ type: 'reject' }],
    transports: {
      docker: {
        [repository]: [
          {
            type: 'sigstoreSigned',
            keyPath: `/etc/containers/${fileName(key)}`,
            signedIdentity: { type: 'matchRepository' },
          },
        ],
      },
    },
  };
  return [
    '# podman, skopeo, CRI-O: /etc/containers/policy.json',
    ...JSON.stringify(policy, null, 2).split('\n'),
    '# /etc/containers/registries.d/ingot.yaml',
    'docker:',
    `  ${repository}:`,
    '    use-sigstore-attachments: true',
    `# then (Debian builds skopeo without sigstore: it refuses such a policy)`,
    `cp ${key} /etc/containers/`,
    `skopeo copy${http ? ' --src-tls-verify=false' : ''} docker://${formatReference(reference)} dir:/tmp/verified`,
  ];
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
