import { expect, test } from 'vitest'
import { isFileUri } from './file-uri.ts'

test.each([
  'file:///etc/passwd',
  'FILE:/etc/passwd',
  'file://host/share',
  ' file:///x',
  'fi\tle:///x',
  '\u0000file:///x',
  'jar:file:///x.jar!/a',
  'view-source:file:///x',
  'file:///{+path}',
  '{scheme}:///x',
  '{+uri}',
  '/etc/passwd',
  '../../etc/passwd',
  '~/.ssh/id_rsa',
  'C:\\Windows\\win.ini',
  'c:/Windows',
  '\\\\host\\share',
])('%j names a file', (uri) => {
  expect(isFileUri(uri)).toBe(true)
})

test.each([
  'test://open',
  'https://example.com/file:///x',
  'notes://all',
  'profile:///x',
  'git://repository/file:x',
  'test://template/{id}/data',
  'urn:file',
  '',
])('%j does not', (uri) => {
  expect(isFileUri(uri)).toBe(false)
})
