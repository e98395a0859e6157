import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#kernel'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamRecord } from '../transport.ts'
import { type ChildNews, createStdio } from './stdio.ts'

/** Opens a session, and answers nothing after that if it is slow. */
function server(name: string, isSlow: boolean): UpstreamRecord {
  const asked = isSlow ? 'm.method === "initialize"' : 'm.id'
  const program = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const m = JSON.parse(line)
    if (${asked}) console.log(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { pid: process.pid } }))
  })`
  return { name, transport: 'stdio', command: [process.execPath, '-e', program], environment: {}, isDemo: false }
}

function world(maxChildrenPerOwner: number) {
  const started: ChildNews[] = []
  const transport = createStdio({
    clock: systemClock,
    limits: { ...defaultLimits, maxChildrenPerOwner },
    settings: { current: { eventsPerSecond: 1_000 } },
    workFolder: temporaryFolder(),
    onNews: (news) => void (news.end === undefined && started.push(news)),
  })
  onTestFinished(() => transport.close())
  const caller = (upstream: UpstreamRecord, era: 'legacy' | 'modern' = 'legacy') =>
    new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream, ownerId: 'ada', era })
  return { transport, started, caller }
}

test('at the bound a child that is only listened to makes room, one that works never does', async () => {
  const { caller } = world(2)
  const [working, listened, third] = [
    caller(server('slow', true)),
    caller(server('quick', false)),
    caller(server('quick', false)),
  ]
  const pid = Number((await working.open()).result?.['pid'])
  const answer = working.start('x').catch(() => undefined)
  await listened.open()
  expect((await listened.listen()).kind).toBe('stream')
  await third.open()
  expect((await third.ask('x')).status).toBe(200)
  expect((await listened.ask('x')).status).toBe(404)
  // WHY: a process that has gone cannot be told anything.
  expect(process.kill(pid, 0)).toBe(true)
  process.kill(pid)
  await answer
})

test('who asks for another server of the same name reaches no child of the one before', async () => {
  const { caller } = world(4)
  const before = server('same', false)
  const after = { ...before, environment: { TOKEN: 'another' } }
  const [old, shared] = [caller(before), caller(before, 'modern')]
  const pids = [(await old.open()).result?.['pid'], (await shared.ask('x')).result?.['pid']]
  const late = caller(after)
  late.sessionId = old.sessionId
  expect((await late.ask('x')).status).toBe(404)
  expect(pids).not.toContain((await caller(after, 'modern').ask('x')).result?.['pid'])
  const same = caller({ ...before })
  same.sessionId = old.sessionId
  expect((await same.ask('x')).result?.['pid']).toBe(pids[0])
})

test('a session that waited for room is not begun once its upstream was removed, or nobody wants it', async () => {
  const stubborn = server('stubborn', false)
  const trap = `process.on('SIGTERM', () => undefined);${stubborn.command?.[2]}; setInterval(() => undefined, 1000)`
  for (const end of ['forgotten', 'cancelled'] as const) {
    const { transport, started, caller } = world(1)
    await caller({ ...stubborn, command: [process.execPath, '-e', trap] }).open()
    const hangUp = new AbortController()
    const waiting = caller(server('quick', false)).start('initialize', {}, hangUp.signal)
    const thrown = waiting.catch((error: unknown) => error)
    if (end === 'forgotten') void transport.forget('quick')
    else hangUp.abort()
    expect(await thrown).toMatchObject({
      code: end === 'forgotten' ? 'upstream.unreachable' : 'upstream.cancelled',
    })
    expect(started.map(({ upstream }) => upstream)).toEqual(['stubborn'])
  }
})
