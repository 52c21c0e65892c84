import { z } from 'zod';
import { KNOWN_PLATFORMS } from '../platform.ts';
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import type { PolicySettings, Settings } from './model.ts';
import { Access } from './settings-access.ts';
import { Archives } from './settings-archives.ts';
import { Builder } from './settings-builders.ts';
import { ChannelFile, FreezeFile } from './settings-channels.ts';
import { DownstreamFile } from './settings-downstreams.ts';
import { Freshness } from './settings-freshness.ts';
import { GateFile } from './settings-gates.ts';
import { Hooks } from './settings-hooks.ts';
import { Notify } from './settings-notify.ts';
import { NO_PIN_SETTINGS, PinsFile } from './settings-pins.ts';
import { Rebuild } from './settings-rebuild.ts';
import { MirrorFile, Replicas, Retention } from './settings-retention.ts';
import { RolloutFile } from './settings-rollout.ts';
import { Watch } from './settings-watch.ts';
import { Days, Duration, Line, Name, Percent, RegistryBase, Size, VariableName } from './values.ts';

export const PlatformName = z.enum(KNOWN_PLATFORMS);

/** At least one, each once. */
export const Platforms = z
  .array(PlatformName)
  .min(1, 'is empty; name at least one platform, as in [linux/amd64, linux/arm64]')
  .refine((platforms) => new Set(platforms).size === platforms.length, 'names a platform twice');

const Level = z.enum(['block', 'warn', 'off']);

const Vulnerability = z.strictObject({ level: Level.optional(), leeway: Days.optional() });

const Policy = z.strictObject({
  vulnerabilities: z
    .strictObject({
      critical: Vulnerability.optional(),
      high: Vulnerability.optional(),
      medium: Vulnerability.optional(),
      low: Vulnerability.optional(),
      negligible: Vulnerability.optional(),
      unknown: Vulnerability.optional(),
    })
    .optional(),
  user: Level.optional(),
  secrets: Level.optional(),
  inputs: Level.optional(),
  platforms: Level.optional(),
  packages: Level.optional(),
  size: z.strictObject({ level: Level.optional(), max: Size.optional(), growth: Percent.optional() }).optional(),
  layers: z.strictObject({ level: Level.optional(), max: z.int().positive().optional() }).optional(),
});

const ProxyAddress = z
  .string()
  .regex(/^https?:\/\/[^\s/@]+\/?$/, 'must be an address without user and password; write it as in http://proxy:3128');

/** ingot.yaml as people write it. */
export const SettingsFile = z.strictObject({
  fleet: Name,
  registry: RegistryBase.optional(),
  platforms: Platforms.default([...KNOWN_PLATFORMS]),
  builders: z.partialRecord(PlatformName, Builder).default({}),
  signing: z
    .strictObject({
      key: z
        .union([z.strictObject({ env: VariableName }), z.strictObject({ file: z.string().min(1, 'is empty') })], {
          error: 'must say where the key is; write { env: INGOT_SIGNING_KEY } or { file: path }',
        })
        .optional(),
    })
    .default({}),
  channels: z.array(ChannelFile).default([]),
  freezes: z.array(FreezeFile).default([]),
  gates: z.array(GateFile).default([]),
  policy: Policy.default({}),
  scan: z.strictObject({ database: z.string().min(1, 'is empty').optional(), every: Duration.optional() }).default({}),
  source: Line.min(1, 'is empty').optional(),
  proxy: z
    .strictObject({ http: ProxyAddress.optional(), https: ProxyAddress.optional(), no: Line.optional() })
    .optional(),
  downstreams: z.array(DownstreamFile).default([]),
  upstreams: z.record(z.string(), z.string()).default({}),
  archives: Archives.default({}),
  rebuild: Rebuild.default(Rebuild.parse({})),
  watch: Watch.default(Watch.parse({})),
  mirror: MirrorFile.default({ platforms: 'wanted' }),
  retention: Retention.default(Retention.parse({})),
  replicas: Replicas.default([]),
  access: Access.optional(),
  pins: PinsFile.default(NO_PIN_SETTINGS),
  hooks: Hooks.default({}),
  notify: Notify.default(Notify.parse({})),
  freshness: Freshness.default({}),
  rollout: RolloutFile.optional(),
});
export type SettingsFile = z.infer<typeof SettingsFile>;

/** Described in the design, refused until they do something. */
export const PLANNED_SETTINGS = ['signing.keyless', 'signing.kms', 'signing.key.exec', 'signing.key.kms'];

export function toSettings(file: SettingsFile): Settings {
  const { registry, source, proxy, scan, signing, policy, access, rollout, ...rest } = file;
  return {
    ...rest,
    ...(registry === undefined ? {} : { registry }),
    ...(source === undefined ? {} : { source }),
    ...(access === undefined ? {} : { access }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(proxy === undefined ? {} : { proxy: defined(proxy) }),
    signing: defined(signing),
    scan: defined({ database: scan.database, everySeconds: scan.every }),
    policy: toPolicy(policy),
  };
}

/** What ingot.yaml leaves out keeps its default, field by field. */
function toPolicy({ vulnerabilities = {}, size, layers, ...levels }: z.infer<typeof Policy>): PolicySettings {
  const severities = Object.entries(DEFAULT_POLICY.vulnerabilities).map(([severity, preset]) => {
    const { level, leeway } = vulnerabilities[severity as keyof typeof vulnerabilities] ?? {};
    return [severity, { level: level ?? preset.level, leewayDays: leeway ?? preset.leewayDays }];
  });
  const presetSize = DEFAULT_POLICY.size;
  return {
    ...DEFAULT_POLICY,
    ...defined(levels),
    vulnerabilities: Object.fromEntries(severities) as PolicySettings['vulnerabilities'],
    size: {
      level: size?.level ?? presetSize.level,
      maxBytes: size?.max ?? presetSize.maxBytes,
      growthPercent: size?.growth ?? presetSize.growthPercent,
    },
    layers: { level: layers?.level ?? DEFAULT_POLICY.layers.level, max: layers?.max ?? DEFAULT_POLICY.layers.max },
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
