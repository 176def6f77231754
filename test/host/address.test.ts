import { expect, test } from 'vitest';
import { baseAddress, fileAddress } from '../../host/node/address.ts';

test('[CERT-T-5] plain http is refused to other machines unless it is allowed, and says why', () => {
  expect(() => baseAddress('http://updates.example.com', false)).toThrow(
    expect.objectContaining({ code: 'insecure', message: expect.stringContaining('use https') }),
  );
  expect(baseAddress('http://updates.example.com', true)).toBe('http://updates.example.com/');
  expect(baseAddress('https://updates.example.com/a', false)).toBe('https://updates.example.com/a/');
});

test('plain http is allowed to this machine only', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    expect(baseAddress(`http://${host}:8080/metadata`, false)).toBe(`http://${host}:8080/metadata/`);
  for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '0.0.0.0', '[::2]'])
    expect(() => baseAddress(`http://${host}/`, false)).toThrow('without TLS');
});

test('an address that is none, or that carries more than a place, is refused', () => {
  for (const text of [
    '',
    'updates',
    'file:///etc/passwd',
    'https://a:b@host/',
    'https://host/?q',
    'https://host/#f',
  ])
    expect(() => baseAddress(text, true)).toThrow(expect.objectContaining({ code: 'address-invalid' }));
});

test('an empty query or fragment is no part of a base address: names are appended to its path', () => {
  for (const text of ['https://host/p?', 'https://host/p#', 'https://host/p/?#', 'https://host/p?#'])
    expect(baseAddress(text, false)).toBe('https://host/p/');
  expect(baseAddress('https://host?', false)).toBe('https://host/');
  expect(baseAddress('https://host:8443/a%3Fb?', false)).toBe('https://host:8443/a%3Fb/');
});

test('names are appended percent-encoded, segment by segment', () => {
  expect(fileAddress('https://host/t/', 'app/esp32c3/1.0.0/abc.fw.bin')).toBe(
    'https://host/t/app/esp32c3/1.0.0/abc.fw.bin',
  );
  expect(fileAddress('https://host/', 'a b/ü?x=1#y%2f')).toBe('https://host/a%20b/%C3%BC%3Fx%3D1%23y%252f');
  expect(fileAddress('https://host/', 'a\\..\\b')).toBe('https://host/a%5C..%5Cb');
});

test('[path traversal] a name that could leave the base address is no address', () => {
  for (const name of ['', '/', '/etc/passwd', '../x', 'a/../b', 'a/./b', 'a//b', 'a/', '..'])
    expect(fileAddress('https://host/base/', name)).toBeUndefined();
});
