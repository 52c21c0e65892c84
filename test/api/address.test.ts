import { expect, test } from 'vitest';
import { createAddressReader, networkOf } from '../../src/api/address.ts';

const PROXIES = ['10.0.0.0/8', '::1'];

test.each([
  ['nobody is trusted', [], '10.0.0.1', '203.0.113.9', '10.0.0.1'],
  ['a proxy tells', PROXIES, '10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['two proxies tell', PROXIES, '10.0.0.1', '203.0.113.9, 10.2.3.4', '203.0.113.9'],
  ['a client claims to be another', PROXIES, '10.0.0.1', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
  ['a stranger claims to be a proxy', PROXIES, '203.0.113.9', '10.0.0.1', '203.0.113.9'],
  ['the claim is no address', PROXIES, '10.0.0.1', '<script>', '10.0.0.1'],
  ['the claim before a proxy is no address', PROXIES, '10.0.0.1', '203.0.113.9, <script>, 10.2.3.4', '10.2.3.4'],
  ['a socket of IPv6 has IPv4', PROXIES, '::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['nothing is claimed', PROXIES, '10.0.0.1', undefined, '10.0.0.1'],
])('when %s', (_, proxies, remote, forwarded, address) => {
  expect(createAddressReader(proxies)(remote, forwarded)).toBe(address);
});

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::5', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['unknown', 'unknown'],
])('guesses from %s count for %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
