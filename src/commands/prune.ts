import type { App } from '../compose.ts';
import type { Collection } from '../domain/prune/collection.ts';
import { formatBytes } from '../domain/size.ts';
import { type PruneItem, type PrunePlan, planPruning, prune } from '../flows/prune.ts';
import type { Output } from './output.ts';

export interface PruneCommandOptions {
  /** Do it; else only say what would be done. */
  readonly yes: boolean;
  readonly by?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** `ingot prune`: what staging, mirror and releases hold that nothing needs. 4: something could not be asked. */
export async function pruneCommand(app: App, output: Output, options: PruneCommandOptions): Promise<number> {
  const { yes, json, signal } = options;
  const by = options.by ?? app.config.person;
  const deps = { ...app.cycle, downstreams: await app.downstreams.list(signal), now: () => new Date() };
  const end = yes ? await prune(deps, by, signal) : { plan: await planPruning(deps, signal), removed: 0, problems: [] };
  const { plan, removed } = end;
  const [definitions, why] = await left(app, { remove: yes, signal });
  const problems = [...end.problems, ...why];
  const collection = removed + (yes ? definitions.length : 0) > 0 ? await app.collectGarbage?.() : undefined;
  if (json)
    output.json({
      done: yes,
      items: plan.items,
      definitions,
      bytes: plan.bytes,
      unknown: plan.unknown,
      removed,
      ...(collection && { collection }),
      problems,
    });
  else
    for (const line of [
      ...toLines(plan),
      ...totals(plan, yes, collection),
      ...definitionLines(definitions, yes),
      ...problems,
    ])
      output.line(line);
  return plan.unknown.length + problems.length > 0 ? 4 : 0;
}

/** @returns tags of old definitions, and why they are not known */
async function left(app: App, options: Parameters<App['leftDefinitions']>[0]) {
  return app.leftDefinitions(options).then(
    (tags) => [tags, []] as const,
    (error: Error) => [[], [error.message]] as const,
  );
}

function definitionLines(tags: readonly string[], yes: boolean): string[] {
  if (tags.length === 0) return [];
  return [`${tags.length} old definitions of the service ${yes ? 'went' : 'would go'}: ${tags.join(', ')}`];
}

function toLines({ items }: PrunePlan): string[] {
  const groups = Map.groupBy(items, ({ repository }) => repository);
  return [...groups].flatMap(([repository, all]) => [repository, ...all.map(toLine)]);
}

function toLine({ name, goes, why, bytes }: PruneItem): string {
  const what = goes ? `goes (${formatBytes(bytes)})` : 'stays';
  return `    ${name} ${what}: ${why.join('; ')}`;
}

function totals({ items, bytes, unknown }: PrunePlan, yes: boolean, collection?: Collection): string[] {
  const count = items.filter(({ goes }) => goes).length;
  const once = collection === 'done' ? '' : ` once the registry collects its garbage`;
  const when = collection === undefined || collection === 'done' ? '' : `, ${collection}`;
  const freed = `${formatBytes(bytes)} ${yes ? 'are' : 'would be'} free${once}${when}`;
  return [
    ...unknown.map((why) => `not known, so that what may depend on it stays: ${why}`),
    count === 0 ? 'nothing goes' : `${count} of ${items.length} ${yes ? 'went' : 'would go'}; ${freed}`,
    ...(count === 0 || yes ? [] : ['"ingot prune --yes" does it']),
  ];
}
