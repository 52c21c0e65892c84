import { z } from 'zod';

/** A BuildKit daemon. Paths are relative to the folder of ingot.yaml, on the machine that builds. */
export interface BuilderSettings {
  readonly address: string;
  /** Both sides show a certificate: `ca` signed the daemon's, `cert` and `key` are ours. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** BuildKit's own forms of an address (`buildctl --addr`). */
const Address = z
  .string()
  .regex(
    /^(unix|tcp|ssh|docker-container|podman-container|nerdctl-container|kube-pod):\/\/\S+$/,
    'is no BuildKit address; write it as in tcp://arm64-builder:1234 or unix:///run/buildkit/buildkitd.sock',
  );

const File = z.string().min(1, 'is empty; name a PEM file');

const WithTls = z.strictObject({ address: Address, ca: File, cert: File, key: File });

export const Builder = z
  .union([Address, WithTls], {
    error: 'must be an address, or { address: tcp://…, ca: …, cert: …, key: … } with all four',
  })
  .transform((builder): BuilderSettings => {
    if (typeof builder === 'string') return { address: builder };
    const { address, ca, cert, key } = builder;
    return { address, tls: { ca, cert, key } };
  });
