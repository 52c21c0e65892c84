import { Graphviz } from '@hpcc-js/wasm-graphviz';

/**
 * Lays out a graph in Graphviz' language and draws it as SVG; nothing but this process takes part.
 * @param titles by node, and by edge as `tail->head`: what a pointer that rests there is shown
 */
export async function drawGraph(source: string, titles: ReadonlyMap<string, string>): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(graphviz.unflatten(source, 3, true, 0), 'svg', 'dot');
  return svg.replace(/<title>([^<]*)<\/title>/g, (_, name: string) => {
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
