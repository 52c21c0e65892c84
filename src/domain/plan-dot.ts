import { familiesOf, gridOf } from './plan-families.ts';
import type { ViewedImage } from './plan-view.ts';
import { familiarName } from './upstream.ts';

/** A plan as a picture: its source in Graphviz' language, and what a pointer that rests on a part is told. */
export interface PlanPicture {
  /** DOT. */
  readonly source: string;
  /** What it shows, for who does not see it. */
  readonly label: string;
  /** Over how many ranks the children of one parent may be spread, so that a wide graph does not become a long list. */
  readonly spread: number;
  /** By node, and by edge as `tail->head`: several lines. */
  readonly titles: ReadonlyMap<string, string>;
}

type Look = 'fresh' | 'rebuild' | 'later' | 'held' | 'running' | 'unknown';

/** Light fill, dark border; each look has a word as well, since colour alone is not for everybody. */
const LOOKS: Readonly<Record<Look, { readonly fill: string; readonly border: string; readonly word: string }>> = {
  rebuild: { fill: '#cfe3ff', border: '#1857b6', word: 'rebuild now' },
  running: { fill: '#e5d4fb', border: '#6b2fb3', word: 'running' },
  later: { fill: '#eef5ff', border: '#6d9be0', word: 'rebuild later' },
  held: { fill: '#ffe8bf', border: '#b06d00', word: 'held' },
  unknown: { fill: '#ffd9d6', border: '#b3261e', word: 'unknown' },
  fresh: { fill: '#e2f3e4', border: '#4a8a52', word: 'fresh' },
};

const UPSTREAM = { fill: '#f1f1f1', border: '#8a8a8a', word: 'upstream' };

/** The graph of the images and what they are built from, coloured by state, with a legend. */
export function drawPlan(views: readonly ViewedImage[], title: string): PlanPicture {
  const names = new Set(views.map(({ image }) => image));
  const upstreams = [...new Set(views.flatMap((view) => view.upstreams))].sort();
  const ids = new Map([...upstreams, ...names].map((name, index) => [name, `n${index}`]));
  const edges = views.flatMap((view) => edgesTo(view, names));
  const families = familiesOf(views);
  const grid = gridOf(views.length, new Set(families.values()).size);
  const parts = [
    { place: grid.place(0), lines: legend(new Set(views.map(lookOf)), upstreams.length > 0) },
    ...[...upstreams.map((name) => [name, upstreamNode(name)] as const), ...views.map(toNode)].map(([name, node]) => ({
      place: grid.place(families.get(name)!),
      lines: [`  ${ids.get(name)} [${attributes(node)}];`],
    })),
  ];
  const lines = [
    'digraph plan {',
    `  graph [${attributes({ ...GRAPH, ...grid.attributes, label: title })}];`,
    `  node [${attributes(NODE)}];`,
    `  edge [${attributes(EDGE)}];`,
    ...parts.sort((a, b) => a.place - b.place).flatMap((part) => part.lines),
    ...edges.map(({ from, to, isBase }) => `  ${ids.get(from)} -> ${ids.get(to)}${isBase ? '' : ' [style=dashed]'};`),
    '}',
  ];
  const titles = [
    ...upstreams.map((name) => [ids.get(name)!, name] as const),
    ...views.map((view) => [ids.get(view.image)!, titleOf(view)] as const),
    ...edges.map(({ from, to }) => [`${ids.get(from)}->${ids.get(to)}`, `${to} is built from ${from}`] as const),
  ];
  return {
    label: title,
    source: `${lines.join('\n')}\n`,
    spread: views.length > MANY ? 6 : 3,
    titles: new Map(titles),
  };
}

/** From here on a picture is rather wide than long. */
const MANY = 120;

function edgesTo(view: ViewedImage, names: ReadonlySet<string>) {
  const sources = [...view.upstreams, ...view.parents.filter((parent) => names.has(parent))];
  return sources.map((source) => ({ from: source, to: view.image, isBase: source === view.base }));
}

function toNode(view: ViewedImage): readonly [string, Record<string, string>] {
  return [view.image, imageNode(view)];
}

const FONT = 'Helvetica,Arial,sans-serif';
const GRAPH = {
  rankdir: 'LR',
  bgcolor: '#ffffff',
  fontname: FONT,
  fontsize: '18',
  labelloc: 't',
  labeljust: 'l',
  nodesep: '0.12',
  ranksep: '0.6',
  pad: '0.3',
};
const NODE = {
  shape: 'box',
  style: 'rounded,filled',
  fontname: FONT,
  fontsize: '12',
  margin: '0.2,0.06',
  height: '0.3',
};
const EDGE = { color: '#9a9a9a', arrowsize: '0.6' };

function lookOf({ entry, wave }: ViewedImage): Look {
  if (entry.state === 'rebuild' || entry.state === 'running' || entry.state === 'unknown') return entry.state;
  if (wave !== undefined) return 'later';
  return entry.state;
}

function imageNode(view: ViewedImage): Record<string, string> {
  const { fill, border, word } = LOOKS[lookOf(view)];
  const { wave, entry, image } = view;
  const version = entry.release === undefined ? '' : ` ${entry.release.version}`;
  const state = lookOf(view) === 'fresh' ? '' : `\n${word}${wave === undefined ? '' : `, wave ${wave}`}`;
  return { label: `${image}${version}${state}`, fillcolor: fill, color: border, ...(state && { penwidth: '1.6' }) };
}

function upstreamNode(name: string): Record<string, string> {
  const { fill, border } = UPSTREAM;
  return {
    label: familiarName(name),
    shape: 'note',
    style: 'filled',
    fillcolor: fill,
    color: border,
  };
}

function titleOf({ image, entry, wave, because, waits, platforms }: ViewedImage): string {
  const turn = wave === undefined ? '' : `, wave ${wave}`;
  const facts = [...(entry.unknown === undefined ? [] : [entry.unknown]), ...because, ...waits];
  return [`${image}: ${entry.state}${turn}`, ...facts, platforms.join(', ')].join('\n');
}

function legend(looks: ReadonlySet<Look>, withUpstreams: boolean): string[] {
  const used = [
    ...(withUpstreams ? [{ ...UPSTREAM, shape: 'note', style: 'filled' }] : []),
    ...(Object.keys(LOOKS) as Look[]).filter((look) => looks.has(look)).map((look) => LOOKS[look]),
  ];
  const nodes = used.map(({ fill, border, word, ...rest }, index) => {
    const look = { label: word, fillcolor: fill, color: border, ...rest };
    return `    legend${index} [${attributes(look)}];`;
  });
  const order = used.slice(1).map((_, index) => `    legend${index} -> legend${index + 1} [style=invis];`);
  return ['  subgraph cluster_legend {', ...LEGEND, ...nodes, ...order, '  }'];
}

const LEGEND = ['    label="solid: base, dashed: other input"; labelloc=b; labeljust=c; color="#d0d0d0"; fontsize=11;'];

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(', ');
}

/** A string of the DOT language: quotes and backslashes escaped, line ends as `\n`. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
