import { expect, test } from 'vitest'
import type { Database } from '#platform/database'
import { eachDatabase } from '../../../test/world/databases.ts'
import { dropRoles, syncRoles } from './roles.ts'

async function house(database: Database): Promise<void> {
  const role = { grants: '[]', description: '', is_shipped: 0 as const, updated_at: 1 }
  await database.query.deleteFrom('roles').execute()
  await database.query
    .insertInto('roles')
    .values(['admin', 'reader', 'writer'].map((name) => ({ ...role, name })))
    .execute()
  const settings = {
    title: '',
    issuer: '',
    client_id: '',
    client_authentication: '',
    sealed_secret: null,
    settings: '{}',
  }
  for (const name of ['works', 'school']) {
    await database.query
      .insertInto('providers')
      .values({ ...settings, name, created_at: 1, created_by: null })
      .execute()
    const identity = {
      issuer: name,
      subject: 'b',
      person_id: 'bea',
      provider: name,
      roles: '["reader"]',
      created_at: 1,
    }
    await database.query
      .insertInto('provider_identities')
      .values({ ...identity, created_by: null, last_seen_at: null })
      .execute()
  }
}

function sync(database: Database, provider: string, wanted: readonly string[]) {
  return database.transaction((transaction) => syncRoles(transaction, { personId: 'bea', provider, wanted, nowMs: 1 }))
}

async function roles(database: Database): Promise<string[]> {
  const rows = await database.query.selectFrom('role_grants').select(['role', 'granted_by']).execute()
  return rows.map(({ role, granted_by }) => `${role} by ${granted_by}`).toSorted()
}

eachDatabase('roles by the groups at a provider', (open) => {
  test('come and go with the groups; a role that does not exist is not given', async () => {
    const database = await open()
    await house(database)
    expect(await sync(database, 'works', ['writer', 'nothing', 'writer', 'admin'])).toEqual({
      added: ['admin', 'writer'],
      removed: [],
    })
    expect(await sync(database, 'works', ['writer'])).toEqual({ added: [], removed: ['admin'] })
    expect(await roles(database)).toEqual(['writer by provider:works'])
  })

  test('a role given by hand is neither taken nor taken over', async () => {
    const database = await open()
    await house(database)
    const byHand = { person_id: 'bea', role: 'reader', granted_at: 1, granted_by: 'ana' }
    await database.query.insertInto('role_grants').values(byHand).execute()
    expect(await sync(database, 'works', ['reader'])).toEqual({ added: [], removed: [] })
    expect(await sync(database, 'works', [])).toEqual({ added: [], removed: [] })
    expect(await roles(database)).toEqual(['reader by ana'])
  })

  test('what another provider gives, too, stays, and is that one’s to take', async () => {
    const database = await open()
    await house(database)
    await sync(database, 'works', ['reader'])
    expect(await sync(database, 'works', [])).toEqual({ added: [], removed: [] })
    expect(await roles(database)).toEqual(['reader by provider:school'])
    await database.query.updateTable('provider_identities').set({ roles: '[]' }).execute()
    await database.transaction((transaction) => dropRoles(transaction, 'school', 1))
    expect(await roles(database)).toEqual([])
  })
})
