import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { consentedRules } from './missing.ts'

const asked = (rule: string, fingerprint = 'print') => ({ rule, kind: 'consent' as const, fingerprint })
const bound = { personId: 'ann', boundTo: 'here', nowMs: 100 }

eachDatabase('consents', (open) => {
  async function stage() {
    const { query } = await open()
    const row = {
      person_id: 'ann',
      bound_to: 'here',
      client_name: 'c',
      rule: 'a',
      fingerprint: 'print',
      purpose: 'look',
      given_at: 1,
      expires_at: 101,
      revoked_at: null,
    }
    return async (more: Partial<Omit<typeof row, 'revoked_at'>> & { readonly revoked_at?: number } = {}) => {
      await query.deleteFrom('consents').execute()
      await query
        .insertInto('consents')
        .values({ id: 'c1', ...row, ...more })
        .execute()
      return [...(await consentedRules(query, [asked('a'), asked('b')], bound))]
    }
  }

  test('count for the rule they were given to, and for no other with the same text', async () => {
    const given = await stage()
    expect(await given()).toEqual(['a'])
    expect(await given({ rule: 'b' })).toEqual(['b'])
    expect(await given({ rule: 'c' })).toEqual([])
  })

  test('count no more for another text, person or client, or when they ended', async () => {
    const given = await stage()
    expect(await given({ fingerprint: 'other' })).toEqual([])
    expect(await given({ person_id: 'bea' })).toEqual([])
    expect(await given({ bound_to: 'elsewhere' })).toEqual([])
    expect(await given({ expires_at: 100 })).toEqual([])
    expect(await given({ revoked_at: 50 })).toEqual([])
  })

  test('count only where a consent is asked for', async () => {
    const { query } = await open()
    const approval = { ...asked('a'), kind: 'approval' as const }
    expect((await consentedRules(query, [approval], bound)).size).toBe(0)
  })
})
