import { expect, test } from 'vitest';
import { createAddressReader } from '../../src/api/address.ts';

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
