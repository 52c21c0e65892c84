import type { Reference } from '../domain/reference.ts';
import { isLoopbackHost } from '../lib/http.ts';

/** Names of registries whose API has another host. */
const API_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/** Makes the address of something in a repository: `path` is what follows `/v2/<name>/`. */
export type Endpoint = (reference: Pick<Reference, 'registry' | 'repository'>, path: string) => URL;

/** @param insecureHosts hosts (with their port) that speak plain HTTP, besides those of this machine */
export function createEndpoint(insecureHosts: readonly string[] = []): Endpoint {
  const insecure = new Set(insecureHosts);
  return ({ registry, repository }, path) => {
    const host = API_HOSTS[registry] ?? registry;
    const plain = insecure.has(registry) || isLoopbackHost(host.replace(/:\d+$/, ''));
    return new URL(`${plain ? 'http' : 'https'}://${host}/v2/${repository}/${path}`);
  };
}
