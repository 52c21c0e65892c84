/**
 * A path of ours as somebody sent it back, else `/`: nobody is led elsewhere. Browsers leave tabs and line ends out of
 * an address, take backslashes for slashes, and two slashes for another host (WHATWG URL, section 4.4).
 */
export function ownPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/';
}
