import { BlockList, isIPv6 } from 'node:net';

/**
 * The address that a request comes from. What it says itself (`X-Forwarded-For`) counts only as far as proxies that are
 * trusted have added it: from the right, up to the first that is not one of them.
 */
export function createAddressReader(
  proxies: readonly string[],
): (remote: string | undefined, forwardedFor: string | undefined) => string {
  const trusted = listOf(proxies);
  return (remote = 'unknown', forwardedFor) => {
    const hops = [...(forwardedFor?.split(',').map((hop) => hop.trim()) ?? []), plain(remote)];
    for (let index = hops.length - 1; index > 0; index--) {
      const hop = plain(hops[index]!);
      if (!isIn(trusted, hop)) return isAddress(hop) ? hop : plain(hops[index + 1] ?? remote);
    }
    return isAddress(hops[0]!) ? plain(hops[0]!) : plain(remote);
  };
}

/** Whose guesses count together: who has an address of IPv6 mostly has the 2^64 beside it, too (RFC 6177). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('::');
  const [left, right] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(Math.max(0, 8 - left!.length - right!.length)).fill('0');
  const groups = [...left!, ...zeros, ...right!].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}

function listOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return isAddress(address) && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function isAddress(text: string): boolean {
  return isIPv6(text) || /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
}

/** IPv4 on a socket of IPv6 is written so. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
