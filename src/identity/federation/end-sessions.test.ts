import { expect, test } from 'vitest'
import type { Database } from '#platform/database'
import { eachDatabase } from '../../../test/world/databases.ts'
import { endSessionsOf, type Whose } from './end-sessions.ts'

const issuer = 'https://login.castle.test'
const by = { id: 'castellan', name: 'castellan' }

async function write(database: Database): Promise<void> {
  const session = {
    address: 'a',
    agent: 'b',
    factors: '[]',
    last_seen_at: 1,
    expires_at: 9,
    ended_at: null,
    ended_reason: null,
  }
  const there = { issuer, provider: 'works', sealed_id_token: '' }
  const rows = [
    { id: 's1', person_id: 'bea', subject: 'b', sid: 'x', created_at: 100 },
    { id: 's2', person_id: 'bea', subject: 'b', sid: 'y', created_at: 200 },
    { id: 's3', person_id: 'ben', subject: 'c', sid: null, created_at: 100 },
  ]
  for (const { id, person_id, subject, sid, created_at } of rows) {
    await database.query
      .insertInto('sessions')
      .values({ ...session, id, person_id, created_at, token_hash: id })
      .execute()
    await database.query
      .insertInto('provider_sessions')
      .values({ ...there, session_id: id, person_id, subject, sid, created_at })
      .execute()
  }
  const grant = { client_id: 'c', client_name: 'c', resource: 'r', scopes: '', expires_at: 9_999 }
  const open = { ended_at: null, ended_by: null, ended_reason: null }
  const grants = [
    { id: 'before', person_id: 'bea', factors: '["identity-provider"]', created_at: 50 },
    { id: 'since-first', person_id: 'bea', factors: '["identity-provider","totp"]', created_at: 150 },
    { id: 'since-second', person_id: 'bea', factors: '["identity-provider"]', created_at: 250 },
    { id: 'by-password', person_id: 'bea', factors: '["password","totp"]', created_at: 250 },
    { id: 'of-ben', person_id: 'ben', factors: '["identity-provider"]', created_at: 250 },
  ]
  for (const one of grants) {
    await database.query
      .insertInto('oauth_grants')
      .values({ ...grant, ...open, ...one })
      .execute()
  }
}

async function endedBy(database: Database, whose: Whose): Promise<string[]> {
  await write(database)
  await database.transaction((transaction) => endSessionsOf(transaction, whose, { by, reason: 'x', nowMs: 300 }))
  const sessions = await database.query.selectFrom('sessions').select('id').where('ended_at', '=', 300).execute()
  const grants = await database.query.selectFrom('oauth_grants').select('id').where('ended_at', '=', 300).execute()
  return [...sessions, ...grants].map(({ id }) => id).toSorted()
}

eachDatabase('ending what began at a provider', (open) => {
  test.each<[string, Whose, string[]]>([
    ['an account', { issuer, subject: 'b' }, ['s1', 's2', 'since-first', 'since-second']],
    ['one session of it', { issuer, sid: 'y' }, ['s2', 'since-second']],
    ['a session of somebody else', { issuer, subject: 'c', sid: 'y' }, []],
    ['an account at another issuer', { issuer: 'https://other.test', subject: 'b' }, []],
    ['nobody', { issuer }, []],
    ['all of a provider', { provider: 'works' }, ['of-ben', 's1', 's2', 's3', 'since-first', 'since-second']],
    ['all of another', { provider: 'other' }, []],
  ])('%s: with its sessions end the grants made since, on the strength of them', async (_what, whose, ended) => {
    expect(await endedBy(await open(), whose)).toEqual(ended)
  })
})
