import { Graphviz } from '@hpcc-js/wasm-graphviz';

export interface Picture {
  /** What it shows, for who does not see it. */
  readonly label: string;
  /** A graph in Graphviz' language. */
  readonly source: string;
  /** Over how many ranks children without children may be spread. */
  readonly spread: number;
  /** By node, and by edge as `tail->head`: what a pointer that rests there is shown. */
  readonly titles: ReadonlyMap<string, string>;
}

/** Lays out a graph and draws it as SVG; nothing but this process takes part. */
export async function drawGraph({ label, source, spread, titles }: Picture): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(graphviz.unflatten(source, spread, true, 0), 'svg', 'dot');
  const named = svg.replace('<svg ', `<svg role="img" aria-label="${encode(label).replaceAll('"', '&quot;')}" `);
  return named.replace(/<title>([^<]*)<\/title>/g, (_, name: string) => {
    const title = titles.get(decode(name));
    return title === undefined ? '' : `<title>${encode(title)}</title>`;
  });
}

/** Graphviz writes `-` and `>` of an edge's name as entities. */
function decode(text: string): string {
  return text.replaceAll('&#45;', '-').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function encode(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
