import { openDatabase } from '#platform/database'

/**
 * A process of its own that counts to `rounds` in a row of `throttles`, reading and writing in one transaction,
 * and says `<n>` for each commit that was acknowledged. Arguments: database url, rounds.
 */
const [url = '', rounds = '0'] = process.argv.slice(2)
const database = await openDatabase({ url })
for (let round = 1; round <= Number(rounds); round++) {
  await database.transaction(async (transaction) => {
    const row = await transaction
      .selectFrom('throttles')
      .select('failures')
      .where('key', '=', 'count')
      .executeTakeFirst()
    await transaction
      .insertInto('throttles')
      .values({ key: 'count', failures: (row?.failures ?? 0) + 1, window_started_at: 0 })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet((row) => ({ failures: row.ref('excluded.failures') })),
      )
      .execute()
  })
  process.stdout.write(`${round}\n`)
}
await database.close()
