import { dockerfile, type ImageReader, part } from './data/images.ts';
import { MASK } from './data/templates.ts';
import type { DataScalar } from './data/tree.ts';
import type { ImagePlace } from './place.ts';

/** Compose puts its own variables into a Dockerfile first: `$$` is a `$` of the Dockerfile, `${NAME:-default}` its own. */
const OWN = /\$\$|\$\{[A-Za-z_]\w*:?-([^{}$]*)\}|\$\{[^}]*\}|\$[A-Za-z_]\w*/g;

/** A Dockerfile that stands in a compose file. */
export const composeDockerfile: ImageReader = (node, context) => {
  if (node.kind !== 'scalar') return [];
  return dockerfile(interpolated(node), context).map((place) =>
    place.resolved?.includes(MASK) ? undecided(place) : place,
  );
};

function undecided({ written, range }: ImagePlace): ImagePlace {
  const name = written.replaceAll(MASK, '$…');
  return { written: name, range, pieces: [], unknown: 'a variable of the compose file decides it; write it out' };
}

function interpolated(scalar: DataScalar): DataScalar {
  const parts: DataScalar[] = [];
  let behind = 0;
  for (const match of scalar.text.matchAll(OWN)) {
    const end = match.index + match[0].length;
    parts.push(part(scalar, behind, match.index));
    if (match[0] === '$$') parts.push(part(scalar, end - 1, end));
    else if (match[1] !== undefined) parts.push(part(scalar, end - 1 - match[1].length, end - 1));
    else parts.push({ ...scalar, text: MASK, pieces: [{ text: MASK, start: -1, end: -1 }] });
    behind = end;
  }
  parts.push(part(scalar, behind));
  const text = parts.map((each) => each.text).join('');
  return { ...scalar, text, pieces: parts.flatMap(({ pieces }) => pieces) };
}
