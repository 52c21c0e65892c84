import { z } from 'zod';
import { FORGE_HOMES, type WebForgeName } from '../forge-address.ts';
import { PROBLEM_KINDS, type ProblemKind, SEVERITIES, type Severity } from '../problems.ts';
import { ForgeAddress } from './settings-downstreams.ts';
import { SecretPlace } from './settings-hooks.ts';
import { Duration, Line, Name } from './values.ts';

type Place = { readonly env: string } | { readonly file: string };

/** Where notifications go. An address that is a secret by itself is named, not written. */
export type NotifyChannel = { readonly name: string } & (
  | { readonly kind: 'slack' | 'teams'; readonly url: Place }
  | {
      /** Of the commit that the definitions were read from. */
      readonly kind: 'status';
      readonly forge: WebForgeName;
      /** Without a slash at its end. */
      readonly url: string;
      readonly repository: string;
      readonly token: Place;
    }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: Place }
  | {
      readonly kind: 'email';
      /** `smtp://host:587`, `smtps://host` */
      readonly server: string;
      readonly user?: string;
      readonly password?: Place;
      readonly from: string;
      readonly to: readonly string[];
    }
);

/** What it names has to fit; what it leaves out fits all. */
export interface NotifyRoute {
  readonly owners?: readonly string[];
  /** Globs. */
  readonly images?: readonly string[];
  readonly kinds?: readonly ProblemKind[];
  /** This one and those above. */
  readonly severity?: Severity;
  /** Names of channels. */
  readonly to: readonly string[];
}

export interface NotifySettings {
  readonly channels: readonly NotifyChannel[];
  /** Empty: everything to every channel. */
  readonly routes: readonly NotifyRoute[];
  /** Failed runs in a row after which an image is failing. */
  readonly failingAfter: number;
  /** Seconds without a further image after which those with one reason are told together. */
  readonly settleSeconds: number;
  /** Age at which an open pull request counts as stuck. */
  readonly stuckAfterSeconds: number;
}

const Url = z
  .string()
  .regex(/^https?:\/\/[^\s@]+$/, 'must be an address without user and password; it is signed with "secret" instead');
const Address = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'is no mail address');

const HOMES: Readonly<Partial<Record<WebForgeName, string>>> = FORGE_HOMES;

const Status = z
  .strictObject({
    forge: z.literal(['gitea', 'forgejo', 'github', 'gitlab']),
    url: ForgeAddress.optional(),
    repository: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)+$/, 'is no repository; write the one of the definitions as in acme/images'),
    token: SecretPlace,
  })
  .refine(({ forge, url }) => url !== undefined || HOMES[forge] !== undefined, {
    message: 'does not say where the forge is; add it as "url", as in https://git.acme.example',
  });

const Channel = z
  .strictObject({
    slack: z.strictObject({ url: SecretPlace }).optional(),
    teams: z.strictObject({ url: SecretPlace }).optional(),
    webhook: z.strictObject({ url: Url, secret: SecretPlace }).optional(),
    status: Status.optional(),
    email: z
      .strictObject({
        server: z.string().regex(/^smtps?:\/\/[^\s/@]+$/, 'must be a server, as in smtp://mail.acme.example:587'),
        user: Line.optional(),
        password: SecretPlace.optional(),
        from: Address,
        to: z.array(Address).min(1, 'is empty'),
      })
      .optional(),
  })
  .refine((channel) => Object.values(channel).filter(Boolean).length === 1, {
    message: 'must be one of slack, teams, webhook, status and email',
  });

const Route = z.strictObject({
  owners: z.array(Line).min(1, 'is empty').optional(),
  images: z.array(Line).min(1, 'is empty').optional(),
  kinds: z.array(z.enum(PROBLEM_KINDS)).min(1, 'is empty').optional(),
  severity: z.enum(SEVERITIES).optional(),
  to: z.array(Name).min(1, 'is empty; name a channel'),
});

export const Notify = z
  .strictObject({
    channels: z.record(Name, Channel).default({}),
    routes: z.array(Route).default([]),
    failingAfter: z.int().min(1, 'must be 1 at least').default(3),
    settle: Duration.default(60),
    stuckAfter: Duration.default(7 * 86_400),
  })
  .superRefine(({ channels, routes }, context) => {
    for (const [index, { to }] of routes.entries()) {
      for (const name of to.filter((each) => channels[each] === undefined)) {
        const message = `names the channel "${name}", which is not there; add it to "channels"`;
        context.addIssue({ code: 'custom', message, path: ['routes', index, 'to'] });
      }
    }
  })
  .transform(
    ({ channels, routes, failingAfter, settle, stuckAfter }): NotifySettings => ({
      channels: Object.entries(channels).map(([name, channel]) => toChannel(name, channel)),
      routes: routes.map((route) => defined(route)),
      failingAfter,
      settleSeconds: settle,
      stuckAfterSeconds: stuckAfter,
    }),
  );

function toChannel(name: string, { slack, teams, webhook, status, email }: z.infer<typeof Channel>): NotifyChannel {
  if (slack !== undefined) return { name, kind: 'slack', ...slack };
  if (teams !== undefined) return { name, kind: 'teams', ...teams };
  if (webhook !== undefined) return { name, kind: 'webhook', ...webhook };
  if (status !== undefined) {
    const { forge, url = HOMES[forge]!, repository, token } = status;
    return { name, kind: 'status', forge, url: url.replace(/\/+$/, ''), repository, token };
  }
  return { name, kind: 'email', ...defined(email!) };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
