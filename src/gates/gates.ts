import type { Digest } from '../domain/digest.ts';
import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Gate } from '../domain/fleet/settings-gates.ts';
import type { Platform } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';

export type GateErrorCode = CommonCode | 'unavailable';

/** The gate could not be asked. One that refuses is no error. */
export class GateError extends FactoryError<GateErrorCode> {}

/** What a gate is asked about: a candidate in staging, or a release. */
export interface GateSubject {
  readonly image: string;
  readonly version: string;
  /** The index, by digest, where it can be pulled now. */
  readonly reference: Reference & { readonly digest: Digest };
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  /** Where releases of the image are: how Dockerfiles name it. */
  readonly repository: Reference;
  /** Why it was made, in words. */
  readonly reasons: readonly string[];
}

export interface GateAnswer {
  readonly passed: boolean;
  /** For people: what the gate said, its last lines; at most 2,000 characters. */
  readonly message: string;
}

/** Asks the gates of others, each bounded in time and output. */
export interface GateRunner {
  /** @throws GateError when there is no answer, BuilderError when a consumer could not be built at all */
  ask(gate: Gate, subject: GateSubject, call: { readonly signal?: AbortSignal | undefined }): Promise<GateAnswer>;
}

/** Facts about a subject under the names that gates know them by. */
export function factsOf(gate: Gate, { image, version, reference, platforms, reasons }: GateSubject) {
  const { registry, repository, digest } = reference;
  return {
    gate: gate.name,
    when: gate.when,
    image,
    version,
    reference: `${registry}/${repository}@${digest}`,
    digest,
    platforms,
    reasons,
  };
}

const MAX_MESSAGE = 2_000;

/** The end of what a program said, without colours and other control characters. */
export function lastWords(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const plain = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
  return plain.trim().slice(-MAX_MESSAGE);
}
