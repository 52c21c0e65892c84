import { needsNothing, type PlanSummary, summarise, type ViewedImage } from './plan-view.ts';

/** An image with those below it. Each stands once: below its base, or else below the first golden image that it uses. */
export interface TreeNode {
  readonly view: ViewedImage;
  readonly children: readonly TreeNode[];
}

/** The images as trees; whoever is built from no image of the list is a root. In the order of the list. */
export function toTrees(views: readonly ViewedImage[]): readonly TreeNode[] {
  const nodes = new Map<string, { view: ViewedImage; children: TreeNode[] }>();
  const roots: TreeNode[] = [];
  for (const view of views) {
    const node = { view, children: [] };
    const parent = view.parents.find((name) => nodes.has(name));
    nodes.set(view.image, node);
    (parent === undefined ? roots : nodes.get(parent)!.children).push(node);
  }
  return roots;
}

/** Without the branches in which nothing is to be done. */
export function prune(trees: readonly TreeNode[]): readonly TreeNode[] {
  return trees.flatMap((node) => {
    const children = prune(node.children);
    return children.length === 0 && needsNothing(node.view) ? [] : [{ ...node, children }];
  });
}

/** The plan as lines of text: the tree, then what it comes to. */
export function planLines(views: readonly ViewedImage[], { all }: { readonly all: boolean }): readonly string[] {
  const trees = toTrees(views);
  const shown = all ? trees : prune(trees);
  const hidden = views.length - shown.reduce((sum, node) => sum + sizeOf(node), 0);
  const lines = shown.flatMap((node) => [...nodeLines(node, '', ''), ...(node.children.length > 0 ? [''] : [])]);
  const rest =
    hidden === 0 ? [] : [`${countOf(hidden, 'image')} ${hidden === 1 ? 'needs' : 'need'} nothing (--all shows them)`];
  return [
    ...trimEnd(lines),
    ...(lines.length > 0 ? [''] : []),
    ...noteLines(views),
    ...rest,
    summaryLine(summarise(views)),
  ];
}

/** Said of fresh images too, which are not shown; once for all that track the same. */
function noteLines(views: readonly ViewedImage[]): string[] {
  const users = new Map<string, string[]>();
  for (const { image, entry } of views)
    for (const note of entry.notes ?? []) users.set(note, [...(users.get(note) ?? []), image]);
  return [...users].map(([note, images]) => {
    const others = images.length > 3 ? ` and ${images.length - 3} more` : '';
    return `note: ${note} (${images.slice(0, 3).join(', ')}${others})`;
  });
}

function trimEnd(lines: readonly string[]): readonly string[] {
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function sizeOf({ children }: TreeNode): number {
  return 1 + children.reduce((sum, child) => sum + sizeOf(child), 0);
}

function nodeLines({ view, children }: TreeNode, first: string, rest: string): string[] {
  const below = children.length > 0 ? `${rest}│ ` : `${rest}  `;
  const own = [`${first}${headOf(view)}`, ...detailsOf(view).map((line) => `${below}  ${line}`)];
  const lines = children.map((child, index) => {
    const isLast = index === children.length - 1;
    return nodeLines(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`);
  });
  return [...own, ...lines.flat()];
}

function headOf({ image, entry, wave }: ViewedImage): string {
  const version = entry.release === undefined ? '' : ` ${entry.release.version}`;
  return `${image}${version}  ${entry.state}${wave === undefined ? '' : `, wave ${wave}`}`;
}

function detailsOf({ entry, because, waits, parents, wave }: ViewedImage): string[] {
  const isLater = entry.reasons.length === 0 && wave !== undefined;
  const others = parents.slice(1);
  return [
    ...(entry.unknown === undefined ? [] : [entry.unknown]),
    ...because.map((text) => `${isLater ? 'then, because' : 'because'} ${text}`),
    ...waits,
    ...(others.length > 0 && (because.length > 0 || waits.length > 0) ? [`uses ${others.join(', ')} as well`] : []),
  ];
}

function summaryLine({ now, later, held, unknown, waves, builds }: PlanSummary): string {
  const parts = [
    now === 0 ? 'nothing to do now' : `${countOf(now, 'image')} to rebuild now`,
    ...(later === 0 ? [] : [`${later} later`]),
    ...(held === 0 ? [] : [`${held} held`]),
    ...(unknown === 0 ? [] : [`${unknown} unknown`]),
  ];
  const ahead = waves === 0 ? '' : `: ${countOf(waves, 'wave')}, ${countOf(builds, 'build')} of single platforms`;
  return `${parts.join(', ')}${ahead}`;
}

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
