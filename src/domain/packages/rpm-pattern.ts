import { RE2JS } from 're2js';

/** A package as patterns see it. */
export interface RpmIdentity {
  readonly name: string;
  /** `epoch:version-release` */
  readonly version: string;
  readonly architecture: string;
}

export interface RpmPattern {
  matches(identity: RpmIdentity): boolean;
}

/**
 * A package specification of dnf(8): a glob on the name, with version, release and architecture in the ways that people
 * write them, the epoch left out or in front of name or version.
 */
export function createRpmPattern(glob: string): RpmPattern {
  const pattern = RE2JS.compile(`^(?:${globToExpression(glob)})$`);
  return { matches: (identity) => formsOf(identity).some((form) => pattern.matches(form)) };
}

function formsOf({ name, version, architecture }: RpmIdentity): readonly string[] {
  const [, epoch = '0', rest = version] = /^(\d*):(.*)$/.exec(version) ?? [];
  const bare = rest.replace(/-[^-]*$/, '');
  const withVersion = [rest, `${epoch}:${rest}`].flatMap((each) => [
    `${name}-${each}`,
    `${name}-${each}.${architecture}`,
  ]);
  return [
    ...[name, `${name}.${architecture}`, `${name}-${bare}`, ...withVersion],
    ...[`${epoch}:${name}-${rest}.${architecture}`, `${name}-${epoch}:${bare}`],
  ];
}

/** `*`, `?` and `[…]` as the shell has them. */
function globToExpression(glob: string): string {
  return glob
    .split(/(\*+|\?|\[[!^]?\]?[^\]]*\])/)
    .map((part) => {
      if (part.startsWith('*')) return '.*';
      if (part === '?') return '.';
      if (part.length > 2 && part.startsWith('[')) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
      return RE2JS.quote(part);
    })
    .join('');
}
