import type { Image } from './fleet/model.ts';

/** What the order of images depends on: names, and whom each is built from. */
export interface GraphNode {
  readonly name: string;
  /** Golden images that it uses in any way. Ones that are no node are passed over. */
  readonly parents: readonly string[];
}

/** The golden images that an image uses, each once. */
export function parentsOf(image: Pick<Image, 'inputs'>): string[] {
  const parents = image.inputs.flatMap(({ source }) => ('golden' in source ? [source.golden] : []));
  return [...new Set(parents)];
}

/** Parents before children; among those that could come next, by name. Nodes in a cycle, and their children, are left out. */
export function parentsFirst<N extends GraphNode>(nodes: readonly N[]): N[] {
  const names = new Set(nodes.map(({ name }) => name));
  const waiting = [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  const ordered: N[] = [];
  const done = new Set<string>();
  for (;;) {
    const next = waiting.findIndex(({ parents }) => parents.every((parent) => done.has(parent) || !names.has(parent)));
    if (next === -1) return ordered;
    const [node] = waiting.splice(next, 1);
    ordered.push(node!);
    done.add(node!.name);
  }
}

/** Every ring, as the names in order, from the first by name: `[a, b]` means a needs b and b needs a. */
export function findCycles(nodes: readonly GraphNode[]): string[][] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const rings = new Map<string, string[]>();
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      const ring = fromSmallest(path.slice(start));
      rings.set(ring.join(' '), ring);
      return;
    }
    if (finished.has(name)) return;
    for (const parent of byName.get(name)?.parents ?? []) visit(parent, [...path, name]);
    finished.add(name);
  };
  for (const name of [...byName.keys()].sort()) visit(name, []);
  return [...rings.values()];
}

function fromSmallest(ring: readonly string[]): string[] {
  const start = ring.indexOf([...ring].sort()[0]!);
  return [...ring.slice(start), ...ring.slice(0, start)];
}

/** All golden images that an image is built from, directly or not; nearest first, each once. */
export function ancestorsOf(name: string, images: readonly Image[]): string[] {
  return reach(name, (current) => {
    const image = images.find((candidate) => candidate.name === current);
    return image === undefined ? [] : parentsOf(image);
  });
}

/** The images that use this one directly, in the order of the fleet. */
export function childrenOf(name: string, images: readonly Image[]): string[] {
  return images.filter((image) => parentsOf(image).includes(name)).map((image) => image.name);
}

/** All images that use this one, directly or not; nearest first, each once. */
export function descendantsOf(name: string, images: readonly Image[]): string[] {
  return reach(name, (current) => childrenOf(current, images));
}

function reach(start: string, next: (name: string) => readonly string[]): string[] {
  const found = new Set<string>();
  for (let wave = next(start); wave.length > 0; wave = wave.flatMap(next)) {
    wave = wave.filter((name) => !found.has(name));
    for (const name of wave) found.add(name);
  }
  return [...found];
}

/** The same for all images at once. */
export function childrenOfEach(images: readonly Image[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>(images.map(({ name }) => [name, []]));
  for (const image of images) for (const parent of parentsOf(image)) children.get(parent)?.push(image.name);
  return children;
}
