import { existsSync } from 'node:fs'
import { castellanItself } from '#kernel'
import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../test/world/databases.ts'
import { temporaryFolder } from '../../test/world/folder.ts'
import { ModernClient } from '../../test/world/servers/modern-client.ts'
import { startOldServer } from '../../test/world/servers/old-server.ts'
import { UpstreamCaller } from '../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../test/world/servers/upstreams.ts'

type Address = { url: string } | { command: readonly string[] }

async function behind(address: Address) {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const { upstreams } = await openUpstreams(database)
  const upstream = await addUpstream({ upstreams } as never, 'some', address)
  const { exchange } = upstreams
  const modern = () => new ModernClient({ exchange, upstream })
  const legacy = () => new UpstreamCaller({ exchange, upstream })
  const replaceBy = async (after?: Address) => {
    await upstreams.catalog.remove('some', castellanItself)
    if (after !== undefined) await addUpstream({ upstreams } as never, 'some', after)
  }
  return { modern, legacy, replaceBy }
}

const isGone = { code: 'upstream.unreachable' }

test('a call that was decided on before its upstream was removed reaches nobody, nor another one of its name', async () => {
  const server = await startOldServer()
  const { modern, legacy, replaceBy } = await behind({ url: server.url })
  expect((await modern().call('x')).status).toBe(200)
  const arrived = server.arrived.length
  for (const after of [undefined, { url: server.url.replace('/mcp', '/elsewhere') }]) {
    await replaceBy(after)
    await expect(modern().call('x')).rejects.toMatchObject(isGone)
    await expect(legacy().open()).rejects.toMatchObject(isGone)
    expect(server.arrived).toHaveLength(arrived)
    if (after === undefined) await replaceBy({ url: server.url })
  }
})

test('a command that was removed or changed is not started for a call that came before', async () => {
  const trace = `${temporaryFolder()}/started`
  const writing = [process.execPath, '-e', `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`]
  const { modern, legacy, replaceBy } = await behind({ command: writing })
  await replaceBy({ command: [...writing, 'changed'] })
  await expect(modern().call('x')).rejects.toMatchObject(isGone)
  await expect(legacy().open()).rejects.toMatchObject(isGone)
  expect(existsSync(trace)).toBe(false)
})
