import { parseDockerfile } from '../dockerfile/parse.ts';
import { createTextFormat } from './text-format.ts';

const NAME = /(?:^|[/.])(?:docker|container)file$|(?:^|\/)(?:docker|container)file[^/]*$/i;

/** Dockerfile and Containerfile: FROM with ARG defaults, COPY --from, RUN --mount=from. */
export const dockerfileFormat = createTextFormat({
  id: 'dockerfile',
  isPath: isDockerfilePath,
  places: (text) => parseDockerfile(text).references,
});

export function isDockerfilePath(path: string): boolean {
  return NAME.test(path) && !path.endsWith('.dockerignore');
}
