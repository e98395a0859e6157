import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { commonPasswords } from './common-passwords.ts'
import { refusePassword } from './rules.ts'

const ada = ['ada', 'Ada Lovelace']

function verdict(password: string, hasSecondFactor = true, words: readonly string[] = ada): string {
  const refusal = refusePassword(password, { hasSecondFactor, words })
  return isRefusal(refusal) ? refusal.code.replace('identity.password-', '') : 'fine'
}

test('eight characters are enough with a second factor, seven are not', () => {
  expect([verdict('vukz ipe'), verdict('vukz ip')]).toEqual(['fine', 'too-short'])
})

test('fifteen characters are enough alone, fourteen are not', () => {
  expect([verdict('vukz ipe mlorwt', false), verdict('vukz ipe mlorw', false)]).toEqual(['fine', 'too-short'])
})

test('characters are counted as people count them: code points, spaces too', () => {
  expect([verdict('🦉🐢🦊🐙🦀🐝🦋🐳'), verdict('🦉🐢🦊🐙🦀🐝🦋')]).toEqual(['fine', 'too-short'])
})

test('256 characters are accepted, 1024 bytes are, one more is not', () => {
  const long = Array.from(
    { length: 128 },
    (_, index) => String.fromCharCode(97 + ((index * 7 + (index >> 3)) % 26)) + (index % 10),
  ).join('')
  expect([...long].length).toBe(256)
  expect([verdict(long), verdict(long.repeat(4)), verdict(`${long.repeat(4)}x`)]).toEqual(['fine', 'fine', 'too-long'])
})

test('any composition will do', () => {
  for (const password of ['vukzipemlo', '83 17 20 66 94', 'ВЕЛОСИПЕД НА КРЫШЕ', '  vukz ipe  ', '密码是一只会飞的乌龟'])
    expect(verdict(password)).toBe('fine')
})

test('half a surrogate pair is not text', () => {
  expect(verdict('vukzipem\ud800')).toBe('unreadable')
})

test('the shipped list holds at least three thousand passwords that are long enough', () => {
  const long = [...commonPasswords()].filter((password) => [...password].length >= 8)
  expect(long.length).toBeGreaterThanOrEqual(3000)
  for (const password of ['password', '12345678', 'iloveyou', 'trustno1', 'qwertyuiop', '1qaz2wsx', 'football']) {
    expect(commonPasswords()).toContain(password)
  }
  for (const password of long) expect(verdict(password), password).toBe('common')
})

test('a common password in other letters, with signs around it or twice is still one', () => {
  for (const password of [
    'PassWord',
    'ｐａｓｓｗｏｒｄ',
    'Password1!',
    '!!iloveyou2',
    'passwordpassword',
    'Dragon123456',
    'letmein-2025',
  ]) {
    expect(verdict(password), password).toBe('common')
  }
})

test('repetitions and rows of keys are refused', () => {
  for (const password of [
    'aaaaaaaaaaaaaaa',
    'abababababababab',
    'abcdabcdabcdabcd',
    'abcdefghijklmnop',
    'qwertyuiopasdfghjkl',
    '0987654321',
    '3edc4rfv5tgb',
    'zxcvbnm,./',
  ]) {
    expect(verdict(password), password).toBe('common')
  }
})

test('the names of the person and the product alone are refused, with a sentence around them they are fine', () => {
  for (const password of ['castellan2026!', 'Castellan-Ada', 'lovelace1815', 'ada lovelace!'])
    expect(verdict(password), password).toBe('common')
  expect(verdict('castellan keeps the keys')).toBe('fine')
})
