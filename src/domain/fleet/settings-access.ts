import { z } from 'zod';
import { ACCESS_ROLES, type AccessRole } from '../access/principal.ts';
import { Line, Name } from './values.ts';

/** Who may do what through the service, besides tokens (`ingot token`). */
export interface AccessSettings {
  /** `host:port` that the service listens on. */
  readonly listen: string;
  /** Where people and programs reach it from outside, without a slash at the end: behind a proxy that ends TLS, say. */
  readonly url?: string;
  /** Folder of the tokens, relative to ingot.yaml. Absent: in the data directory. */
  readonly tokens?: string;
  /** Addresses (CIDR) of proxies whose `X-Forwarded-For` is believed. */
  readonly proxies: readonly string[];
  /** Requests a minute of one credential. */
  readonly requestsPerMinute: number;
  readonly issuers: readonly Issuer[];
}

/** A CI system, or another provider of identities, whose bearer tokens (OpenID Connect) are accepted. */
export interface Issuer {
  readonly name: string;
  /** The claim `iss`, to the letter. */
  readonly issuer: string;
  /** The claim `aud` has to hold one of these. */
  readonly audience: readonly string[];
  /** In this order; the first whose claims all fit decides. */
  readonly rules: readonly IssuerRule[];
}

export interface IssuerRule {
  /** Globs by claim. */
  readonly claims: Readonly<Record<string, string>>;
  readonly role: AccessRole;
  /** Globs. */
  readonly images: readonly string[];
}

export const DEFAULT_LISTEN = '127.0.0.1:8080';

const Images = z.array(Line.min(1, 'is empty')).min(1, 'is empty; leave it out for all images').default(['*']);

const Rule = z.strictObject({
  claims: z
    .record(z.string(), Line.min(1, 'is empty'))
    .refine((claims) => Object.keys(claims).length > 0, 'is empty: anybody of this issuer would fit; name a claim'),
  role: z.enum(ACCESS_ROLES),
  images: Images,
});

const IssuerUrl = z
  .string()
  .regex(
    /^(https:\/\/[^\s/@?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)(\/[^\s?#]*)?$/,
    'must be an https address, as the claim "iss" of its tokens writes it',
  );

const Audience = z
  .union([Line.min(1, 'is empty'), z.array(Line.min(1, 'is empty')).min(1, 'is empty')])
  .transform((audience) => (typeof audience === 'string' ? [audience] : audience));

const IssuerFile = z.strictObject({
  name: Name,
  issuer: IssuerUrl,
  audience: Audience,
  rules: z.array(Rule).min(1, 'is empty: nobody of this issuer could do anything'),
});

export const ListenAddress = z
  .string()
  .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost):\d{1,5}$/, 'must be address:port, as in 0.0.0.0:8080');

const PublicUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/@?#]+$/, 'must be an address without path, as in https://ingot.acme.example');

const Cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: 'must be an address or a network, as in 10.0.0.0/8',
});

export const Access = z
  .strictObject({
    listen: ListenAddress.default(DEFAULT_LISTEN),
    url: PublicUrl.optional(),
    tokens: z.string().min(1, 'is empty').optional(),
    proxies: z.array(Cidr).default([]),
    requestsPerMinute: z.int().min(10, 'must be 10 at least').default(600),
    oidc: z.array(IssuerFile).default([]),
  })
  .refine(({ listen, url }) => isLoopback(listen) || url !== undefined, {
    message: 'is needed when others reach the service; write where from, as in https://ingot.acme.example',
    path: ['url'],
  })
  .transform(
    ({ url, tokens, oidc, ...rest }): AccessSettings => ({
      ...rest,
      ...(url === undefined ? {} : { url }),
      ...(tokens === undefined ? {} : { tokens }),
      issuers: oidc,
    }),
  );

/** `host:port`, as `listen` has it. */
export function isLoopback(listen: string): boolean {
  return /^(127\.|\[::1\]|localhost:)/.test(listen);
}
