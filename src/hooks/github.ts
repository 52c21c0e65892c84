import { z } from 'zod';
import { pushed } from './git-push.ts';
import { type Dialect, hints, NOTHING, type Reading } from './hooks.ts';
import { readBody } from './json.ts';
import { hasSignature } from './secrets.ts';

const Push = z.object({
  ref: z.string(),
  after: z.string().nullish(),
  repository: z.object({
    clone_url: z.string().nullish(),
    ssh_url: z.string().nullish(),
    git_url: z.string().nullish(),
    html_url: z.string().nullish(),
  }),
});

const Package = z.object({
  name: z.string(),
  namespace: z.string().nullish(),
  package_type: z.string().nullish(),
  owner: z.object({ login: z.string() }).nullish(),
  package_version: z
    .object({
      version: z.string().nullish(),
      container_metadata: z
        .object({ tag: z.object({ name: z.string().nullish(), digest: z.string().nullish() }).nullish() })
        .nullish(),
    })
    .nullish(),
});
type Package = z.infer<typeof Package>;

const PackageEvent = z.object({ package: Package });
const RegistryPackageEvent = z.object({ registry_package: Package });

/**
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads (push, package, registry_package), signed as in
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export const github: Dialect = {
  holds(request, secret) {
    const [, signature] = /^sha256=([0-9a-f]{64})$/i.exec(request.headers['x-hub-signature-256'] ?? '') ?? [];
    return hasSignature(signature, request, secret);
  },
  read(request) {
    const host = request.registry ?? 'ghcr.io';
    switch (request.headers['x-github-event']) {
      case 'push':
        return readBody(request, Push, ({ ref, after, repository: { clone_url, ssh_url, git_url, html_url } }) =>
          pushed(ref, after, [clone_url, ssh_url, git_url, html_url]),
        );
      case 'package':
        return readBody(request, PackageEvent, ({ package: found }) => published(found, host));
      case 'registry_package':
        return readBody(request, RegistryPackageEvent, ({ registry_package: found }) => published(found, host));
      default:
        return NOTHING; // a ping, or an event that nobody asked for
    }
  },
};

function published(
  { name, namespace, package_type: type, owner, package_version: version }: Package,
  host: string,
): Reading {
  if (type && type.toLowerCase() !== 'container') return NOTHING;
  // `namespace` is the owner, and where a package's name has slashes of its own the rest of its path
  const path = [namespace || owner?.login, name].filter(Boolean).join('/').toLowerCase();
  const tag = version?.container_metadata?.tag?.name;
  const mark = version?.container_metadata?.tag?.digest || version?.version;
  return hints([{ repository: `${host}/${path}`, tags: tag ? [tag] : [], ...(mark && { mark }) }]);
}
