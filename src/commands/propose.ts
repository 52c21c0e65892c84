import type { App } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { type Intent, withPreview } from '../flows/preview-forge.ts';
import { createProposer } from '../flows/proposals.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import type { ProposeEnd, ProposeLine } from '../queue/dispatcher.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';
import { unifiedDiff } from './text-diff.ts';

export interface ProposeOptions {
  /** Empty: all. */
  readonly images: readonly string[];
  /** Names of downstreams; empty: all. */
  readonly repositories: readonly string[];
  /** Writes nothing, and prints what would be written. */
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

type ProposeApp = Pick<App, 'registry' | 'fleet' | 'places' | 'downstreams' | 'cataloguer' | 'scanner'>;

/**
 * `ingot propose`: brings pull requests to where the releases in use are, without a cycle. 4: a repository could not be
 * asked.
 */
export async function proposeCommand(app: ProposeApp, output: Output, options: ProposeOptions): Promise<number> {
  const { images, dryRun, json, signal } = options;
  requireImages(images, app.fleet.images);
  const repositories = await chosen(app, options);
  const wanted = app.fleet.images.filter(({ name }) => images.length === 0 || images.includes(name));
  const isAsked = options.repositories.length > 0;
  const ends: (ProposeEnd & { readonly previews: readonly Preview[] })[] = [];
  for (const { name } of wanted) {
    const previews: Preview[] = [];
    const shown = new Map(repositories.map((each) => [dryRun ? previewed(each, previews) : each, each]));
    const downstreams = {
      list: async () => [...shown.keys()],
      follows: (repository: ForgeRepository) => app.downstreams.follows(shown.get(repository)!),
    };
    const end = await createProposer({ ...app, downstreams, now: () => new Date() }, { isAsked })(name, signal);
    ends.push({ ...end, previews });
  }
  if (json)
    output.json(ends.map(({ previews, ...end }) => ({ ...end, ...(dryRun && { previews: previews.map(toJson) }) })));
  else for (const end of ends) for (const line of toLines(end, dryRun)) output.line(line);
  return ends.some(({ results }) => results.some(({ action }) => action === 'unknown')) ? 4 : 0;
}

async function chosen(app: ProposeApp, { repositories, signal }: ProposeOptions): Promise<readonly ForgeRepository[]> {
  const all = await app.downstreams.list(signal);
  if (all.length === 0) throw new FactoryError('ingot.yaml names no downstreams', { code: 'usage' });
  if (repositories.length === 0) return all;
  return repositories.flatMap((name) => findDownstreams(name, all));
}

/** By its whole name, or by the end of it. @throws FactoryError `usage` */
export function findDownstreams(name: string, all: readonly ForgeRepository[]): readonly ForgeRepository[] {
  const found = all.filter((each) => each.name === name || each.name.replace(/\.git$/, '').endsWith(`/${name}`));
  if (found.length > 0) return found;
  const known = all.slice(0, 8).map((each) => each.name);
  const more = all.length > known.length ? ', …' : '';
  throw new FactoryError(`${name} is no downstream of this fleet; there are ${known.join(', ')}${more}`, {
    code: 'usage',
  });
}

interface Preview {
  readonly repository: string;
  readonly intents: Intent[];
  /** Files as they are now, by path. */
  readonly before: Map<string, Uint8Array>;
}

function previewed(repository: ForgeRepository, previews: Preview[]): ForgeRepository {
  const preview: Preview = { repository: repository.name, intents: [], before: new Map() };
  previews.push(preview);
  const reading: ForgeRepository = {
    ...repository,
    async read(file, call) {
      const content = await repository.read(file, call);
      preview.before.set(file.path, content);
      return content;
    },
  };
  return withPreview(reading, (intent) => preview.intents.push(intent));
}

function toJson({ repository, intents, before }: Preview) {
  return {
    repository,
    intents: intents.map(({ ...each }) => ({ ...each, ...('files' in each && { files: diffOf(each, before) }) })),
  };
}

function diffOf({ files }: Extract<Intent, { kind: 'commit' }>, before: Preview['before']) {
  return files.map(({ path, content }) => ({
    path,
    diff: unifiedDiff(path, toText(before.get(path)!), toText(content)),
  }));
}

function toLines(
  { image, results, previews }: ProposeEnd & { previews: readonly Preview[] },
  dryRun: boolean,
): string[] {
  if (results.every(({ action }) => action === 'none')) return [`${image}: no pin to move`];
  const left = [...previews];
  return results.flatMap((line) => {
    // Several branches of one repository have one name, and are in the order of the results
    const at = left.findIndex(({ repository }) => repository === line.repository);
    const [preview] = at === -1 ? [] : left.splice(at, 1);
    return [
      headline(image, line, dryRun),
      ...(preview === undefined ? [] : preview.intents.flatMap((each) => intentLines(each, preview))),
    ];
  });
}

const WOULD: Readonly<Record<string, string>> = {
  opened: 'would be opened',
  updated: 'would be updated',
  closed: 'would be closed',
};

function headline(image: string, line: ProposeLine, dryRun: boolean): string {
  const { repository, base, action, number, title, message, troubles = [] } = line;
  const branch = base === undefined ? '' : ` (${base})`;
  const pull = number ? ` #${number}` : '';
  const done = (dryRun && WOULD[action]) || action;
  const more = troubles.map((trouble) => ` (${trouble})`).join('');
  return `${image} in ${repository}${branch}${pull}: ${done}${message || title ? `: ${message ?? title}` : ''}${more}`;
}

function intentLines(intent: Intent, { before }: Preview): string[] {
  if (intent.kind === 'commit') return diffOf(intent, before).flatMap(({ diff }) => diff);
  if (intent.kind === 'remove-branch') return [`the branch ${intent.branch} would be removed`];
  if (intent.kind === 'update' && intent.state === 'closed') return [];
  return ['', ...(intent.body ?? '').split('\n').map((line) => `    ${line}`.trimEnd()), ''];
}

function toText(content: Uint8Array): string {
  return Buffer.from(content).toString('utf8');
}
