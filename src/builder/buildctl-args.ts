import { digestOf, hexOf } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import {
  atDigest,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  repositoryOf,
} from '../domain/reference.ts';
import { BuilderError, type BuildRequest } from './builder.ts';

/** What every `buildctl build` of ours says: the Dockerfile frontend that is part of BuildKit, and progress for machines. */
function commonArgs({ address, tls }: Connection, platform: Platform): string[] {
  return [
    ...connectionArgs({ address, tls }),
    ...['build', '--progress', 'rawjson', '--frontend', 'dockerfile.v0'],
    // With `cmdline` the frontend takes itself for the one that a `# syntax=` line names, and pulls no other, which the
    // recipe version would not know (frontend/dockerfile/builder/build.go; BUILDKIT_SYNTAX would name an image).
    ...['--opt', 'cmdline=dockerfile.v0', '--opt', `platform=${platform}`],
  ];
}

/** How a daemon is reached. */
export interface Connection {
  readonly address: string;
  /** Absolute paths of PEM files. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

/** `buildctl`'s own options, which stand before the verb. */
export function connectionArgs({ address, tls }: Connection): string[] {
  const files = tls === undefined ? [] : ['--tlscacert', tls.ca, '--tlscert', tls.cert, '--tlskey', tls.key];
  return ['--addr', address, ...files];
}

export interface BuildArgsOptions extends Connection {
  readonly dockerfile: { readonly folder: string; readonly name: string };
  readonly metadataFile: string;
  /** Whether the repository is reached by plain HTTP. */
  readonly insecure: boolean;
}

/** `buildctl` arguments for one platform image, reproducible and pushed by digest. Secrets go by file name, never by value. */
export function buildArgs(request: BuildRequest, options: BuildArgsOptions): string[] {
  const { dockerfile, metadataFile, insecure } = options;
  const opts = [
    `filename=${dockerfile.name}`,
    `dockerfilekey=${localName(dockerfile.folder)}`,
    `build-arg:SOURCE_DATE_EPOCH=${request.epoch}`,
    ...(request.target === undefined ? [] : [`target=${request.target}`]),
    ...Object.entries(request.args ?? {}).map(([name, value]) => `build-arg:${name}=${value}`),
    ...Object.entries(request.pins).map(([written, reference]) => pinOpt(written, reference)),
    ...Object.entries(request.folders ?? {}).map(([name, folder]) => `context:${name}=local:${localName(folder)}`),
  ];
  return [
    ...commonArgs(options, request.platform),
    ...['--local', `context=${request.context}`],
    ...[dockerfile.folder, ...Object.values(request.folders ?? {})].flatMap(localArgs),
    ...opts.flatMap((opt) => ['--opt', opt]),
    ...Object.entries(request.secrets ?? {}).flatMap(([id, file]) => ['--secret', csv([`id=${id}`, `src=${file}`])]),
    ...(request.fresh ? ['--no-cache'] : []),
    ...['--metadata-file', metadataFile, '--output', outputOption(request, insecure)],
  ];
}

/** `buildctl` arguments for a throw-away build whose Dockerfile lies in `folder`: nothing cached, nothing exported. */
export function commandArgs(platform: Platform, options: Connection & { readonly folder: string }): string[] {
  const { folder } = options;
  const locals = ['--local', `context=${folder}`, ...localArgs(folder), '--opt', `dockerfilekey=${localName(folder)}`];
  return [...commonArgs(options, platform), ...locals, '--no-cache'];
}

/**
 * The daemon keeps what it was sent under a local's name, and asks again only for files of another size or time
 * (source/local/source.go, sharedKey). Under one name for all folders it would take a file of one image for that of
 * another: each folder has its own. The frontend lets the context alone have no other name: see `BuildRequest.context`.
 */
function localName(folder: string): string {
  return `local-${hexOf(digestOf(folder)).slice(0, 16)}`;
}

function localArgs(folder: string): string[] {
  return ['--local', `${localName(folder)}=${folder}`];
}

/** No attestations: they hold build times, and make an index of a manifest. */
function outputOption({ push, annotations = {} }: BuildRequest, insecure: boolean): string {
  return csv([
    'type=image',
    `name=${repositoryOf(push)}`,
    ...['push=true', 'push-by-digest=true', 'name-canonical=true', 'oci-mediatypes=true', 'rewrite-timestamp=true'],
    ...(insecure ? ['registry.insecure=true'] : []),
    ...Object.entries(annotations).map(annotationField),
  ]);
}

function annotationField([key, value]: [string, string]): string {
  if (key !== key.toLowerCase())
    // buildctl would write it in lower case without a word
    throw new BuilderError(`the annotation "${key}" must be in lower case`, { code: 'usage' });
  return `annotation.${key}=${value}`;
}

/** buildctl reads these options as one CSV record (RFC 4180). */
function csv(fields: readonly string[]): string {
  return fields.map((field) => (/[",\r\n]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}

function pinOpt(written: string, reference: Reference): string {
  if (reference.digest === undefined)
    throw new FactoryError(`"${formatReference(reference)}" is no pin: it has no digest`, { code: 'bug' });
  return `context:${contextName(written)}=docker-image://${formatReference(atDigest(reference, reference.digest))}`;
}

/**
 * The name under which BuildKit looks for a named context that stands in for an image: the familiar form, `:latest`
 * dropped, digest kept (frontend/dockerui/config.go, namedContext).
 */
export function contextName(written: string): string {
  return familiarReference(parseReference(written)).replace(/:latest$/, '');
}
