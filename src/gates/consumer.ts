import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Builder, BuilderError } from '../builder/builder.ts';
import { type DockerfileReference, parseDockerfile } from '../domain/dockerfile/parse.ts';
import { contextKey } from '../domain/dockerfile/pin.ts';
import type { Gate, GateTest } from '../domain/fleet/settings-gates.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, formatReference, parseReference, type Reference, repositoryOf } from '../domain/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { type GateAnswer, GateError, type GateRunner, type GateSubject, lastWords } from './gates.ts';

export interface ConsumerGateOptions {
  /** Folder of ingot.yaml: contexts are relative to it. */
  readonly root: string;
  readonly registry: Registry;
  readonly builder: Builder;
  /** Where an upstream is read from. */
  readonly sourceOf: (upstream: Reference) => Reference;
  /** Repository for what such a build makes, which nobody uses. */
  readonly pushTo: (image: string) => Reference;
}

type Consumer = Extract<GateTest, { kind: 'consumer' }>;

/** The Dockerfile of a downstream, built on the candidate as if that were released: passes when the build does. */
export function createConsumerGate(options: ConsumerGateOptions): GateRunner {
  return {
    async ask(gate, subject, { signal }) {
      const limit = AbortSignal.timeout(gate.timeoutSeconds * 1000);
      const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      try {
        return await buildAll(gate, subject, options, both);
      } catch (error) {
        if (limit.aborted && !signal?.aborted) {
          return { passed: false, message: `took longer than ${gate.timeoutSeconds} s` };
        }
        if (error instanceof BuilderError && error.code === 'build-failed') return refusalOf(error);
        throw error;
      }
    },
  };
}

async function buildAll(
  gate: Gate,
  subject: GateSubject,
  options: ConsumerGateOptions,
  signal: AbortSignal,
): Promise<GateAnswer> {
  const { context, dockerfile, target, platforms } = gate.test as Consumer;
  const folder = resolve(options.root, context);
  const wanted = platforms ?? (Object.keys(subject.platforms) as Platform[]);
  const others = await resolvePins(gate, join(folder, dockerfile), subject, options, signal);
  for (const platform of wanted) {
    const candidate = subject.platforms[platform];
    if (candidate === undefined) return { passed: false, message: `${subject.image} is not for ${platform}` };
    const own = others.own.map((name) => [contextKey(name), atDigest(subject.reference, candidate)] as const);
    await options.builder.build({
      platform,
      context: folder,
      dockerfile: join(folder, dockerfile),
      ...(target === undefined ? {} : { target }),
      pins: { ...others.pins, ...Object.fromEntries(own) },
      epoch: 0,
      push: options.pushTo(subject.image),
      signal,
    });
  }
  return { passed: true, message: `built for ${wanted.join(' and ')}` };
}

/** Names that mean the candidate, and all others by digest, as in every build of ingot. */
async function resolvePins(
  gate: Gate,
  dockerfile: string,
  subject: GateSubject,
  { registry, sourceOf }: ConsumerGateOptions,
  signal: AbortSignal,
): Promise<{ own: string[]; pins: Record<string, Reference> }> {
  const text = await readFile(dockerfile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw misconfigured(gate, `${dockerfile} cannot be read (${cause.code})`);
  });
  const written = [...new Set(parseDockerfile(text).references.map((reference) => nameOf(gate, reference)))];
  const own = written.filter((name) => means(parseReference(name), subject));
  if (own.length === 0) throw misconfigured(gate, `${dockerfile} names no ${subject.image} to build on`);
  const pins: Record<string, Reference> = {};
  for (const name of written.filter((each) => !own.includes(each))) {
    const source = sourceOf(parseReference(name));
    const head = await registry.head(source, { signal });
    if (head === undefined) throw misconfigured(gate, `${formatReference(source)}, which it uses, does not exist`);
    pins[contextKey(name)] = atDigest(source, head.digest);
  }
  return { own, pins };
}

function nameOf(gate: Gate, { resolved, unknown, written }: DockerfileReference): string {
  if (resolved !== undefined) return resolved;
  throw misconfigured(gate, `"${written}" cannot be pinned: ${unknown}`);
}

/** By the name of its releases, or as the fleet's own Dockerfiles write it. */
function means(reference: Reference, { repository, image }: GateSubject): boolean {
  return [repositoryOf(repository), `docker.io/golden/${image}`].includes(repositoryOf(reference));
}

function refusalOf(error: BuilderError): GateAnswer {
  const { log } = error.details;
  return { passed: false, message: lastWords(typeof log === 'string' ? `${error.message}\n${log}` : error.message) };
}

function misconfigured(gate: Gate, why: string): GateError {
  return new GateError(`the gate ${gate.name} could not be asked: ${why}`, { code: 'configuration' });
}
