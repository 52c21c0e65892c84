/** How a registry wants to be asked (RFC 9110, 11.6.1; distribution token spec). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service?: string;
      readonly scopes: readonly string[];
    };

const PARAMETER = /([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** The challenge that we can answer; Bearer wins when both are offered. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const bearer = /(?:^|,)\s*bearer\s+(.*)$/i.exec(header ?? '')?.[1];
  if (bearer === undefined) return /(?:^|,)\s*basic\b/i.test(header ?? '') ? { scheme: 'basic' } : undefined;
  const values = new Map<string, string>();
  for (const [, name = '', quoted, plain] of bearer.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!values.has(key)) values.set(key, (quoted ?? plain ?? '').replace(/\\(.)/g, '$1'));
  }
  const realm = values.get('realm');
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const service = values.get('service');
  const scopes = (values.get('scope') ?? '').split(' ').filter(Boolean);
  return { scheme: 'bearer', realm, ...(service !== undefined && { service }), scopes };
}
