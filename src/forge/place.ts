import type { Rest, WebDeps } from './rest.ts';

/** One repository in its forge, as the parts of the adapter see it. */
export interface Place {
  readonly rest: Rest;
  /** `/repos/acme/shop` */
  readonly path: string;
  /** `acme/shop` */
  readonly name: string;
  readonly sleep: WebDeps['sleep'];
}

/** One segment of a path, slashes and all: `ingot/image/debian` is one branch. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
