import { expect, test } from 'vitest'
import { lacksSecrets, showUrl, withoutSecrets } from './httpUrl.js'

test.each([
  ['https://user:SECRET@host/t-{000..9}.tar', 'https://...@host/t-{000..9}.tar'],
  ['https://user:SEC/RET@host/t.tar', 'https://...@host/t.tar'],
  ['wds:http://u:SECRET@h/{a,b}.tar?token=SECRET', 'wds:http://...@h/{a,b}.tar?...'],
  ['s3://h/a.tar?sig=SECRET', 's3://h/a.tar?...'],
  ['ftp:user:SECRET@host/a.tar', 'ftp:...@host/a.tar'],
])('%s is shown without what is secret', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
  expect(lacksSecrets(shown)).toBe(true)
  expect(lacksSecrets(text)).toBe(false)
})

test.each([
  'photos',
  'wds:shards/t-?.tar',
  'wds:https://host/{000..012}.tar',
  'wds:me@home/a.tar',
  '/a b/c.tar',
])('%s stays as it is', (text) => {
  expect(withoutSecrets(text)).toBe(text)
  expect(lacksSecrets(text)).toBe(false)
})

test('an address that is none is shown without a password as well', () => {
  expect(showUrl('https://user:SEC/RET@host:x/t.tar')).not.toMatch(/SEC|RET/)
})
