import type { PackageState } from './state.ts';

/** Reads os-release(5): shell assignments, quoted or not. */
export function parseOsRelease(text: string): PackageState['os'] {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*([A-Z0-9_]+)=(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, unquote(value));
  }
  const version = fields.get('VERSION_ID');
  const codename = fields.get('VERSION_CODENAME');
  return {
    id: fields.get('ID') || 'linux',
    ...(version ? { version } : {}),
    ...(codename ? { codename } : {}),
  };
}

function unquote(value: string): string {
  const quote = value[0];
  const quoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
  const inner = quoted ? value.slice(1, -1) : value;
  return quote === "'" ? inner : inner.replace(/\\(.)/g, '$1');
}
