/** Shorter values would blot out ordinary words. */
const MIN_LENGTH = 6;

/** Replaces secret values in text by `***`: whole values and each of their lines (a key in PEM form is printed line by line). */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const values = new Set(
    secrets.flatMap((secret) => [secret.trim(), ...secret.split('\n').map((line) => line.trim())]),
  );
  const longestFirst = [...values].filter(({ length }) => length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((redacted, value) => redacted.replaceAll(value, '***'), text);
}
