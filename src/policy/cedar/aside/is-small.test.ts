import { describe, expect, test } from 'vitest'
import { isSmall, small } from './is-small.ts'

const file = (text: string, name = 'one.cedar') => ({ name, text })
const grant = (resources: readonly string[], when?: string) => ({
  permissions: ['tools:call'],
  resources,
  ...(when !== undefined && { when }),
})
const role = (...grants: ReturnType<typeof grant>[]) => ({ name: 'r', grants })

describe('a policy is small', () => {
  test('up to so many rules, of files and roles together', () => {
    expect(isSmall({ roles: [], files: [] })).toBe(true)
    const rules = (count: number) => file(';'.repeat(count))
    expect(isSmall({ roles: [], files: [rules(small.rules)] })).toBe(true)
    expect(isSmall({ roles: [], files: [rules(small.rules + 1)] })).toBe(false)
    expect(isSmall({ roles: [], files: [rules(small.rules), file('', 'two.cedar')] })).toBe(true)
    expect(isSmall({ roles: [], files: [rules(small.rules - 1), rules(2)] })).toBe(false)
    const grants = (count: number) => role(...Array.from({ length: count }, () => grant(['*'])))
    expect(isSmall({ roles: [grants(small.rules)], files: [] })).toBe(true)
    expect(isSmall({ roles: [grants(small.rules - 1), grants(2)], files: [] })).toBe(false)
    expect(isSmall({ roles: [grants(2)], files: [rules(small.rules - 2)] })).toBe(true)
    expect(isSmall({ roles: [grants(2)], files: [rules(small.rules - 1)] })).toBe(false)
  })

  test('up to so many characters of files, resources and conditions together', () => {
    const text = (length: number) => 'x'.repeat(length)
    const most = small.characters
    expect(isSmall({ roles: [], files: [file(text(most))] })).toBe(true)
    expect(isSmall({ roles: [], files: [file(text(most + 1))] })).toBe(false)
    expect(isSmall({ roles: [], files: [file(text(most)), file('x', 'two.cedar')] })).toBe(false)
    expect(isSmall({ roles: [role(grant([text(most - 1), 'x']))], files: [] })).toBe(true)
    expect(isSmall({ roles: [role(grant([text(most), 'x']))], files: [] })).toBe(false)
    expect(isSmall({ roles: [role(grant(['x'], text(most - 1)))], files: [] })).toBe(true)
    expect(isSmall({ roles: [role(grant(['x'], text(most)))], files: [] })).toBe(false)
    expect(isSmall({ roles: [role(grant(['x']))], files: [file(text(most - 1))] })).toBe(true)
    expect(isSmall({ roles: [role(grant(['x']))], files: [file(text(most))] })).toBe(false)
  })
})
