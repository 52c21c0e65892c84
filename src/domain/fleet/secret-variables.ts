const NAMING = ['env', 'secretVariable'];

/** Names of the variables that definitions say a secret is in: `{ env: NAME }`, wherever that stands. */
export function secretVariablesIn(definitions: unknown): readonly string[] {
  if (typeof definitions !== 'object' || definitions === null) return [];
  const named = Object.entries(definitions).flatMap(([key, value]: [string, unknown]) =>
    NAMING.includes(key) && typeof value === 'string' ? [value] : secretVariablesIn(value),
  );
  return [...new Set(named)];
}
