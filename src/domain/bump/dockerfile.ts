import { parseDockerfile } from '../dockerfile/parse.ts';
import { createPlaceRange, type ImagePlace, toPlace, wordAt, wordPieces } from './place.ts';
import { createTextFormat } from './text-format.ts';

const NAME = /(?:^|[/.])(?:docker|container)file$|(?:^|\/)(?:docker|container)file[^/]*$/i;

/** Dockerfile and Containerfile: FROM with ARG defaults, COPY --from, RUN --mount=from, the frontend in `# syntax=`. */
export const dockerfileFormat = createTextFormat({
  id: 'dockerfile',
  isPath: isDockerfilePath,
  places: (text) => [...syntaxPlaces(text), ...parseDockerfile(text).references],
});

/** `# syntax=…` names an image as well; only before anything else (BuildKit, frontend/dockerfile/parser/directives.go). */
function syntaxPlaces(text: string): readonly ImagePlace[] {
  const head = /^\uFEFF?(?:#!.*\n)?(?:[ \t]*#[ \t]*[a-zA-Z][a-zA-Z0-9]*[ \t]*=.*(?:\n|$))*/.exec(text)![0];
  const directive = /^([ \t\uFEFF]*#[ \t]*syntax[ \t]*=[ \t]*)(\S+)[ \t]*\r?$/im.exec(head);
  if (directive === null) return [];
  const start = directive.index + directive[1]!.length;
  const end = start + directive[2]!.length;
  const pieces = wordPieces(wordAt(text, start, end));
  return [toPlace(directive[2]!, { pieces }, createPlaceRange(text)(start, end))];
}

export function isDockerfilePath(path: string): boolean {
  return NAME.test(path) && !path.endsWith('.dockerignore');
}
