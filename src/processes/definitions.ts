import { createReader } from '../compose/reader.ts';
import type { Config } from '../config.ts';
import { readFleet } from '../definitions/read.ts';
import type { FleetSource } from '../definitions/source.ts';
import { packFleet } from '../definitions/store.ts';
import { digestOf } from '../domain/digest.ts';
import { DefinitionError, FactoryError } from '../domain/errors.ts';
import type { Fleet, Settings } from '../domain/fleet/model.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { parseBase, placesBelow } from '../domain/places.ts';
import { publishDefinitions } from '../flows/definitions.ts';
import type { DefinitionsPointer } from '../ledger/store.ts';
import { mistakeInCron } from '../queue/cron.ts';
import { platformsOf } from '../service/parts.ts';
import { schedulesOf } from '../service/schedules.ts';
import type { Host } from './host.ts';

export interface KeeperOptions {
  readonly source: FleetSource;
  /** `host[:port]/path`: it stays for as long as the process lives. */
  readonly base: string;
  readonly fleet: string;
  readonly onTrouble: (message: string) => void;
  /** Each time that they were read without a mistake. */
  readonly onLoaded?: (settings: Settings) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Keeps the definitions in use at what their source says; what is broken there is told, and not used. */
export interface DefinitionsKeeper {
  reload(): Promise<void>;
  /** What has to be there in Redis, also after that was emptied. */
  ensure(): Promise<void>;
  close(): Promise<void>;
}

interface Last {
  readonly pointer: DefinitionsPointer;
  /** Absent as long as this process has read none without a mistake: it only knows those that others read. */
  readonly print?: string;
  readonly settings?: Settings;
}

export function createDefinitionsKeeper(config: Config, host: Host, options: KeeperOptions): DefinitionsKeeper {
  const { store, runs } = host;
  const reader = createReader(config);
  let last: Last | undefined;
  const announce = async (pointer: DefinitionsPointer, settings: Settings) => {
    await store.putDefinitions(pointer);
    await runs.setSchedules(schedulesOf(settings));
  };
  const load = async () => {
    const { root, commit } = await options.source.update(options.signal);
    const checkedAt = new Date().toISOString();
    const fleet = await readFleet(root);
    requireSame(fleet, options, config);
    requireSchedules(fleet.settings, new Date());
    const print = digestOf(canonicalJson({ fleet, commit }));
    await options.onLoaded?.(fleet.settings);
    if (last?.print === print) {
      const { refused: _, ...pointer } = last.pointer;
      last = { ...last, pointer: { ...pointer, checkedAt } };
      return announce(last.pointer, fleet.settings);
    }
    const repository = placesBelow(parseBase(options.base)).fleet();
    const digest = await publishDefinitions(
      await packFleet(root, fleet),
      { registry: reader.registry, repository },
      { signal: options.signal },
    );
    const about = { fleet: options.fleet, source: options.source.name, base: options.base, ...(commit && { commit }) };
    const size = { images: fleet.images.length, platforms: platformsOf(fleet) };
    const pointer: DefinitionsPointer = { ...about, ...size, digest, loadedAt: checkedAt, checkedAt };
    last = { print, pointer, settings: fleet.settings };
    await announce(pointer, fleet.settings);
    const message = `${fleet.images.length} images${commit === undefined ? '' : ` of ${commit.slice(0, 12)}`}`;
    await store.tell({ type: 'fleet.loaded', message, ...(commit && { commit }) });
    await store.changed(['*']);
    await runs.look();
  };
  return {
    async reload() {
      try {
        await load();
      } catch (error) {
        last = { ...last, pointer: await refuse(error, last?.pointer ?? (await store.definitions()), host, options) };
      }
    },
    async ensure() {
      if (last === undefined || (await store.definitions()) !== undefined) return;
      await announce(last.pointer, last.settings ?? (await settingsOf(last.pointer, host)));
      await store.changed(['*']);
      await runs.look();
    },
    close: () => reader.http.close(),
  };
}

/** As they are in the registry. */
async function settingsOf({ digest }: DefinitionsPointer, host: Host): Promise<Settings> {
  return host.withApp(digest, async ({ fleet }) => fleet.settings);
}

/** The definitions before stay; everybody can see why. @throws what was wrong, when there are none before */
async function refuse(
  error: unknown,
  before: DefinitionsPointer | undefined,
  { store }: Host,
  { onTrouble }: KeeperOptions,
): Promise<DefinitionsPointer> {
  if (before === undefined) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const mistakes = error instanceof DefinitionError ? error.mistakes : [];
  const at = new Date().toISOString();
  const pointer = { ...before, checkedAt: at, refused: { at, message, mistakes } };
  if (before.refused?.message !== message) {
    onTrouble(`the definitions are not taken over, those before stay: ${message}`);
    await store.tell({ type: 'fleet.refused', message });
  }
  await store.putDefinitions(pointer);
  return pointer;
}

/** Queues and the places of releases hang on these; a factory that is to move is started anew. */
function requireSame({ settings }: Fleet, { base, fleet }: KeeperOptions, _config: Config): void {
  if (settings.fleet !== fleet) {
    throw new FactoryError(`the fleet is called ${settings.fleet} now, not ${fleet}; restart "ingot serve" for that`, {
      code: 'configuration',
    });
  }
  if (settings.registry !== undefined && settings.registry.replace(/\/+$/, '') !== base.replace(/\/+$/, '')) {
    throw new FactoryError(`the registry is ${settings.registry} now, not ${base}; restart "ingot serve" for that`, {
      code: 'configuration',
    });
  }
}

function requireSchedules(settings: Settings, now: Date): void {
  const mistakes = schedulesOf(settings).flatMap((schedule) => {
    const wrong = 'cron' in schedule ? mistakeInCron(schedule.cron, schedule.timezone, now) : undefined;
    return wrong === undefined ? [] : [{ file: 'ingot.yaml', message: `the schedule "${schedule.name}" ${wrong}` }];
  });
  if (mistakes.length > 0) throw new DefinitionError(mistakes);
}
