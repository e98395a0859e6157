import { isRefusal, refuse } from '#kernel'
import type { Database } from '#platform/database'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../test/world/databases.ts'
import { identityWorld, type IdentityWorld } from '../../test/world/identity.ts'
import { personResumed } from './events.ts'
import type { Query } from './parts.ts'
import { type Change, recordChange } from './record-change.ts'
import { refusals } from './refusals.ts'

const row = { key: 'mark', failures: 1, window_started_at: 1, blocked_until: 0 }

function mark(answer?: ReturnType<typeof refuse>): Change<string> {
  return {
    async work(transaction: Query) {
      await transaction.insertInto('throttles').values(row).execute()
      return answer ?? 'marked'
    },
    tell: () => [personResumed, { outcome: 'succeeded', details: { kind: 'test' } }],
  }
}

async function marks(world: IdentityWorld): Promise<number> {
  return (await world.database.query.selectFrom('throttles').select('key').execute()).length
}

/** What was recorded after the ledger was opened. */
async function told(world: IdentityWorld) {
  return (await world.entries()).filter((entry) => !entry.event.startsWith('ledger.'))
}

eachDatabase('a recorded change', (open) => {
  test('is made and told', async () => {
    const world = await identityWorld(await open())
    expect(await recordChange(world, mark())).toBe('marked')
    expect([await marks(world), (await told(world)).map((entry) => entry.event)]).toEqual([1, ['person.resumed']])
  })

  test('that is refused leaves neither a row nor an entry', async () => {
    const world = await identityWorld(await open())
    expect(isRefusal(await recordChange(world, mark(refuse(refusals.busy))))).toBe(true)
    expect([await marks(world), await told(world)]).toEqual([0, []])
  })

  test('that cannot be told is not made', async () => {
    const world = await identityWorld(await open())
    await world.ledger.close()
    await expect(recordChange(world, mark())).rejects.toThrow()
    expect(await marks(world)).toBe(0)
  })

  test('whose commit fails after it was told is told to have failed', async () => {
    const world = await identityWorld(await open())
    const lost: Pick<Database, 'transaction'> = {
      transaction: (work) =>
        world.database.transaction(async (transaction) => {
          await work(transaction)
          throw new Error('the connection was lost')
        }),
    }
    const parts = { ledger: world.ledger, database: { ...world.database, ...lost } }
    await expect(recordChange(parts, mark())).rejects.toThrow('lost')
    const entries = await told(world)
    expect(entries.map((entry) => entry.outcome)).toEqual(['succeeded', 'failed'])
    expect(entries[1]?.details).toMatchObject({ undoes: entries[0]?.id })
    expect(await marks(world)).toBe(0)
  })

  test('that is run again is told once', async () => {
    const world = await identityWorld(await open())
    const twice: Pick<Database, 'transaction'> = {
      async transaction(work) {
        await world.database
          .transaction(async (transaction) => {
            await work(transaction)
            throw new Error('conflict')
          })
          .catch(() => undefined)
        return world.database.transaction(work)
      },
    }
    expect(await recordChange({ ledger: world.ledger, database: { ...world.database, ...twice } }, mark())).toBe(
      'marked',
    )
    expect([await marks(world), (await told(world)).length]).toEqual([1, 1])
  })
})
