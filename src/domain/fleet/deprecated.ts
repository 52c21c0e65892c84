import { z } from 'zod';
import { Line, Name } from './values.ts';

/** The end of an image's life, as its definition announces it. No matter of content. */
export interface Deprecation {
  /** Last day on which it is rebuilt, `YYYY-MM-DD`, UTC. */
  readonly date: string;
  /** Image of the fleet that takes its place. */
  readonly successor?: string;
  readonly why?: string;
}

export const Deprecated = z
  .strictObject({
    date: z.iso.date('is no day; write it as in 2027-06-30'),
    successor: Name.optional(),
    why: Line.min(1, 'is empty').optional(),
  })
  .transform(
    ({ date, successor, why }): Deprecation => ({
      date,
      ...(successor === undefined ? {} : { successor }),
      ...(why === undefined ? {} : { why }),
    }),
  );

/** What `deprecated` of an image gets wrong in its fleet. */
export function successorMistake(
  image: string,
  { successor }: Deprecation,
  images: readonly string[],
): { message: string; remedy: string } | undefined {
  if (successor === undefined) return undefined;
  if (successor === image) return { message: 'an image cannot take its own place', remedy: 'name another image' };
  if (images.includes(successor)) return undefined;
  return {
    message: `the fleet has no image "${successor}"`,
    remedy:
      images.length === 1 ? 'leave "successor" out' : `it has ${images.filter((name) => name !== image).join(', ')}`,
  };
}
