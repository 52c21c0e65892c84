export type Environment = Readonly<Record<string, string>>;

/** `["PATH=/bin"]` of an image config as a record. */
export function parseEnvironment(entries: readonly string[] = []): Environment {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** Replaces `$NAME` and `${NAME}`; what is not set is empty (Go, os.Expand, which container-structure-test uses). */
export function expand(text: string, environment: Environment): string {
  const lookUp = (name: string) => (Object.hasOwn(environment, name) ? environment[name]! : '');
  return text.replace(/\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?0-9-]))/g, (_, braced?: string, bare?: string) =>
    lookUp(braced ?? bare ?? ''),
  );
}

/** Variables over an environment, in their order: each may use those before it (`PATH: /opt/bin:$PATH`). */
export function withVariables(
  environment: Environment,
  variables: readonly { readonly key: string; readonly value: string }[],
): Environment {
  const known = { ...environment };
  for (const { key, value } of variables) known[key] = expand(value, known);
  return known;
}
