import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '#kernel'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamLimits, type UpstreamRecord } from '../transport.ts'
import { createStdio, type ChildNews } from './stdio.ts'

/** A server in one line of script: `on(message, send)` answers. Handshakes are answered before. */
function scripted(on: string, start = ''): UpstreamRecord {
  const script = `
    const send = (m) => process.stdout.write((typeof m === 'string' ? m : JSON.stringify({ jsonrpc: '2.0', ...m })) + '\\n');
    ${start};
    const on = ${on};
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const m = JSON.parse(line);
      if (m.method === 'initialize') send({ id: m.id, result: { protocolVersion: '2025-11-25', capabilities: {}, pid: process.pid } });
      else on(m, send);
    });`
  return {
    name: 'scripted',
    transport: 'stdio',
    command: [process.execPath, '-e', script],
    environment: {},
    isDemo: false,
  }
}

const echo = scripted('(m, send) => m.id && send({ id: m.id, result: { pid: process.pid, params: m.params } })')

function world(limits: Partial<UpstreamLimits> = {}) {
  const news: ChildNews[] = []
  const transport = createStdio({
    clock: systemClock,
    limits: { ...defaultLimits, ...limits },
    settings: { current: { eventsPerSecond: 1_000 } },
    workFolder: temporaryFolder(),
    onNews: (item) => news.push(item),
  })
  onTestFinished(() => transport.close())
  const caller = (
    upstream: UpstreamRecord,
    rest: { ownerId?: string; era?: 'legacy' | 'modern'; deadlineMs?: number } = {},
  ) => new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream, ...rest })
  const opened = async (upstream: UpstreamRecord, ownerId = 'ada') => {
    const one = caller(upstream, { ownerId })
    const pid = Number((await one.open()).result?.['pid'])
    return { one, pid }
  }
  return { transport, news, caller, opened }
}

function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  // WHY: a zombie has ended; only its parent has not looked yet.
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

const gone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000, interval: 20 })

test('each session has a child of its own, and an id that cannot be guessed', async () => {
  const { opened } = world()
  const ada = await opened(echo)
  const again = await opened(echo)
  expect(ada.pid).not.toBe(again.pid)
  expect(ada.one.sessionId).toMatch(/^[\w-]{43}$/)
  expect((await ada.one.ask('x', { a: 1 })).result).toEqual({ pid: ada.pid, params: { a: 1 } })
})

test("another owner's session, another upstream's and none that ever was get one answer", async () => {
  const { opened, caller } = world()
  const { one } = await opened(echo)
  const answers = []
  for (const [upstream, ownerId, sessionId] of [
    [echo, 'eve', one.sessionId],
    [{ ...echo, name: 'other' }, 'ada', one.sessionId],
    [echo, 'ada', 'A'.repeat(43)],
  ] as const) {
    const thief = caller(upstream, { ownerId })
    thief.sessionId = sessionId
    const { status, hopProblem, kind } = await thief.start('x')
    answers.push({ status, hopProblem, kind })
    expect((await thief.end()).status).toBe(404)
    expect((await thief.listen()).status).toBe(404)
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toEqual({ status: 404, hopProblem: 'session-ended', kind: 'empty' })
  expect((await one.ask('x')).status).toBe(200)
})

test('a request without session is refused with 400', async () => {
  expect((await world().caller(echo).ask('tools/list')).status).toBe(400)
})

test('modern requests of one owner share one child, two owners never do', async () => {
  const { caller } = world()
  const ada = caller(echo, { era: 'modern' })
  const heard = await Promise.all([
    ada.ask('x'),
    ada.ask('y'),
    caller(echo, { ownerId: 'eve', era: 'modern' }).ask('x'),
  ])
  const [first, second, eve] = heard.map((each) => each.result?.['pid'])
  expect(second).toBe(first)
  expect(eve).not.toBe(first)
})

test('DELETE ends the child with its grandchildren, also when all of them ignore SIGTERM', async () => {
  const { opened } = world({ killAfterMs: 200 })
  const stubborn = scripted(
    '(m, send) => send({ id: m.id, result: { grandchild: g.pid } })',
    `process.on('SIGTERM', () => {});
     const g = require('node:child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(JSON.stringify({ jsonrpc: '2.0', method: 'ready' }))"], { stdio: 'inherit' })`,
  )
  const { one, pid } = await opened(stubborn)
  for await (const frame of (await one.listen()).frames) if (frame.body.includes('ready')) break
  const grandchild = Number((await one.ask('x')).result?.['grandchild'])
  expect(isAlive(grandchild)).toBe(true)
  expect((await one.end()).status).toBe(204)
  await Promise.all([gone(pid), gone(grandchild)])
  expect((await one.ask('x')).status).toBe(404)
})

test('a child that dies during a call fails that call, takes its grandchildren along and leaves others unharmed', async () => {
  const { opened, news } = world()
  const fragile = scripted(
    `(m, send) => m.method === 'die' ? (process.stderr.write('last words'), process.exit(3)) : send({ id: m.id, result: { grandchild: g.pid } })`,
    `const g = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })`,
  )
  const { one } = await opened(fragile)
  const { one: other } = await opened(fragile)
  const grandchild = Number((await one.ask('x')).result?.['grandchild'])
  await expect(one.ask('die')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  await gone(grandchild)
  expect((await one.ask('x')).status).toBe(404)
  expect((await other.ask('x')).status).toBe(200)
  expect(news.find((item) => item.end !== undefined)?.end).toMatchObject({ exitCode: 3, errorTail: 'last words' })
})

test('arguments reach the program as they are: no shell reads them', async () => {
  const folder = temporaryFolder()
  const { opened } = world()
  const script = String(echo.command?.[2]).replace('params: m.params', 'argv: process.argv.slice(1)')
  const hostile = [`; touch ${folder}/a`, `$(touch ${folder}/b)`, '`id`', '| cat', '&& true', '$HOME', '*', '\'"']
  const { one } = await opened({ ...echo, command: [process.execPath, '-e', script, '--', ...hostile] })
  expect((await one.ask('x')).result?.['argv']).toEqual(hostile)
  expect(existsSync(`${folder}/a`) || existsSync(`${folder}/b`)).toBe(false)
})

test("the environment is PATH, HOME, LANG and the upstream's own, nothing of the gateway's", async () => {
  vi.stubEnv('CASTELLAN_SECRET', 'hunter2')
  onTestFinished(() => void vi.unstubAllEnvs())
  const teller = scripted(
    '(m, send) => send({ id: m.id, result: { names: Object.keys(process.env), own: process.env.OWN } })',
  )
  const { one } = await world().opened({ ...teller, environment: { OWN: 'yes' } })
  const { names, own } = (await one.ask('x')).result as { names: string[]; own: string }
  expect(own).toBe('yes')
  expect(names.filter((name) => !['PATH', 'HOME', 'LANG', 'OWN'].includes(name))).toEqual([])
})

test('noise on the output is passed over, and an answer nobody asked for reaches nobody', async () => {
  const noisy = scripted(
    `(m, send) => { send('listening on 3000'); send('{"half":'); send('[]'); send({ id: 'ghost', result: {} }); send({ id: m.id, result: { ok: true } }) }`,
  )
  const { one } = await world().opened(noisy)
  const heard = await one.ask('x')
  expect(heard.messages).toEqual([{ jsonrpc: '2.0', id: expect.any(String), result: { ok: true } }])
})

test('a message with line breaks in it arrives as one message', async () => {
  const { one } = await world().opened(echo)
  const { transport, caller } = world()
  const session = caller(echo)
  await session.open()
  const message = { kind: 'request', id: 'n', method: 'x' } as const
  const body = Buffer.from('{"jsonrpc":"2.0",\r\n "id":"n",\n"method":"x","params":{"t":"a\\nb"}}')
  const request = {
    upstream: echo,
    ownerId: 'ada',
    era: 'legacy',
    httpMethod: 'POST',
    headers: {},
    deadlineMs: 5_000,
  } as const
  const answer = await transport.exchange({
    ...request,
    sessionId: session.sessionId ?? '',
    message,
    body,
    signal: new AbortController().signal,
  })
  for await (const frame of answer.frames)
    expect(JSON.parse(frame.body)).toMatchObject({ id: 'n', result: { params: { t: 'a\nb' } } })
  expect((await one.ask('x')).status).toBe(200)
})

test('a line is read at the limit; one byte past it ends the child', async () => {
  const big = scripted(
    `(m, send) => { const line = (n) => JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { t: 'a'.repeat(n) } }); const at = m.params.bytes - line(0).length; send(line(at)) }`,
  )
  const maxMessageBytes = 10 * 1024 * 1024
  const { one } = await world({ maxMessageBytes }).opened(big)
  expect(JSON.stringify((await one.ask('x', { bytes: maxMessageBytes })).messages[0])).toHaveLength(maxMessageBytes)
  await expect(one.ask('x', { bytes: maxMessageBytes + 1 })).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect((await one.ask('x', { bytes: 200 })).status).toBe(404)
})

test('an answer is read at its limit in all; one byte past it is a fault of that call, and the child lives on', async () => {
  const talkative = scripted(`(m, send) => {
    if (m.method !== 'work') return m.id && send({ id: m.id, result: {} })
    const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } })
    const result = (pad) => JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { pad: 'a'.repeat(pad) } })
    send(note), send(result(m.params.bytes - note.length - result(0).length)) }`)
  const { one } = await world({ maxAnswerBytes: 50_000 }).opened(talkative)
  const work = (bytes: number) => one.ask('work', { bytes, _meta: { progressToken: 'p' } })
  expect((await work(50_000)).messages).toHaveLength(2)
  await expect(work(50_001)).rejects.toMatchObject({ code: 'upstream.answer-too-large' })
  expect((await one.ask('x')).status).toBe(200)
})

test('progress goes to the request whose token it names, other messages to the open stream', async () => {
  const chatty = scripted(`(m, send) => {
    if (m.method !== 'work') return;
    send({ method: 'notifications/progress', params: { progressToken: m.params._meta.progressToken, progress: 1 } });
    send({ method: 'notifications/tools/list_changed' });
    setTimeout(() => send({ id: m.id, result: { n: m.params.n } }), 50);
  }`)
  const { one } = await world().opened(chatty)
  const [a, b] = await Promise.all([
    one.ask('work', { n: 1, _meta: { progressToken: 'p1' } }),
    one.ask('work', { n: 2, _meta: { progressToken: 'p2' } }),
  ])
  const progressOf = (heard: typeof a) =>
    heard?.messages.filter((message) => message['method'] === 'notifications/progress')
  expect(progressOf(a)).toEqual([expect.objectContaining({ params: { progressToken: 'p1', progress: 1 } })])
  expect(progressOf(b)).toEqual([expect.objectContaining({ params: { progressToken: 'p2', progress: 1 } })])
  const stop = new AbortController()
  const stream = await one.listen(stop.signal)
  expect((await one.listen()).status).toBe(409)
  for await (const frame of stream.frames) {
    expect(JSON.parse(frame.body)).toMatchObject({ method: 'notifications/tools/list_changed' })
    break
  }
  expect((await one.listen(stop.signal)).status).toBe(200)
})

test('a child that stays silent is a timeout, and is told that nobody waits', async () => {
  const silent = scripted(
    `(m, send) => { if (m.method === 'last') send({ id: m.id, result: { told } }); if (m.method === 'notifications/cancelled') told.push(m.params.requestId) }`,
    'const told = []',
  )
  const { opened, transport } = world()
  const { one } = await opened(silent)
  const hasty = new UpstreamCaller({
    exchange: (request) => transport.exchange(request),
    upstream: silent,
    deadlineMs: 100,
  })
  hasty.sessionId = one.sessionId
  await expect(hasty.ask('never')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect((await one.ask('last')).result).toEqual({ told: ['t-1'] })
})

test('a cancelled request ends without an answer', async () => {
  const { one } = await world().opened(scripted('() => {}'))
  const waiting = one.start('never')
  await sleep(50)
  await one.tell('notifications/cancelled', { requestId: 't-2' })
  expect(await waiting).toMatchObject({ status: 202, kind: 'empty' })
})

test('a request of the child goes to a call of its session, with several of them open and news listened to', async () => {
  const asking = scripted(
    `(m, send) => { if (m.method === 'ask') send({ id: 'c-1', method: 'roots/list' }); if (m.id === 'c-1') for (const id of ids.splice(0)) send({ id, result: m.result }); else if (m.id) ids.push(m.id) }`,
    'const ids = []',
  )
  const { one } = await world().opened(asking)
  await one.listen()
  const first = one.ask('wait')
  const answer = await one.start('ask')
  for await (const frame of answer.frames) {
    if (!frame.body.includes('roots/list')) continue
    await one.reply('c-1', { roots: [] })
  }
  expect((await first).result).toEqual({ roots: [] })
})

test('an error of 2026-07-28 has the HTTP status that the revision gives it; in a session it is answered in band', async () => {
  const failing = scripted('(m, send) => m.id && send({ id: m.id, error: { code: m.params.code, message: "no" } })')
  const { caller, opened } = world()
  const modern = caller(failing, { era: 'modern' })
  for (const [code, status] of [
    [-32601, 404],
    [-32020, 400],
    [-32021, 400],
    [-32022, 400],
    [-32602, 200],
    [-32603, 200],
  ]) {
    expect(await modern.ask('x', { code })).toMatchObject({ status, error: { code } })
  }
  const { one } = await opened(failing)
  expect(await one.ask('x', { code: -32601 })).toMatchObject({ status: 200, error: { code: -32601 } })
})

test('a child that several clients of one owner share sends no request to any of them', async () => {
  const asking = scripted(`(m, send) => { send({ id: 'c-1', method: 'roots/list' }); send({ id: m.id, result: {} }) }`)
  const heard = await world().caller(asking, { era: 'modern' }).ask('x')
  expect(heard.messages).toHaveLength(1)
})

test('progress for clients that share a child and name their requests alike goes to each its own', async () => {
  const working = scripted(`(m, send) => {
    if (!m.id) return
    const progressToken = m.params._meta.progressToken
    setTimeout(() => {
      send({ method: 'notifications/progress', params: { progressToken, progress: 1, message: m.params.text } })
      send({ id: m.id, result: {} })
    }, 100)
  }`)
  const { transport } = world()
  const ask = (id: string, text: string) => {
    const params = { text, _meta: { progressToken: 0 } }
    const message = { kind: 'request' as const, id, method: 'x', params }
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'x', params }))
    const signal = new AbortController().signal
    const who = { upstream: working, ownerId: 'ada', era: 'modern' as const, httpMethod: 'POST' as const }
    return transport.exchange({ ...who, message, body, headers: {}, signal, deadlineMs: 15_000 })
  }
  const answers = await Promise.all([ask('a', 'first'), ask('b', 'second')])
  const notes = await Promise.all(
    answers.map(async ({ frames }) => {
      for await (const { body } of frames) return (JSON.parse(body) as { params: unknown }).params
      return undefined
    }),
  )
  expect(notes).toEqual([
    { progressToken: 0, progress: 1, message: 'first' },
    { progressToken: 0, progress: 1, message: 'second' },
  ])
})

test('an owner is bound to so many children: the longest unused one makes room, others keep theirs', async () => {
  const { opened } = world({ maxChildrenPerOwner: 2, maxChildren: 3 })
  const first = await opened(echo)
  await sleep(5)
  const second = await opened(echo)
  const eve = await opened(echo, 'eve')
  await sleep(5)
  await first.one.ask('x')
  const third = await opened(echo)
  expect(third.one.sessionId).toBeDefined()
  expect((await second.one.ask('x')).status).toBe(404)
  expect((await first.one.ask('x')).status).toBe(200)
  expect((await eve.one.ask('x')).status).toBe(200)
})

test('when every child is busy or belongs to others, the answer is 503', async () => {
  const { opened, caller } = world({ maxChildren: 1 })
  await opened(echo)
  expect(await caller(echo, { ownerId: 'eve' }).start('initialize')).toMatchObject({
    status: 503,
    hopProblem: 'overloaded',
  })
})

test('a child that nobody uses ends', async () => {
  const { opened } = world({ childIdleMs: 200 })
  const { pid } = await opened(echo)
  await gone(pid)
})

test('a handshake that is answered with an error opens no session and leaves no child', async () => {
  const { caller, news } = world()
  const refusing = {
    ...echo,
    command: [
      process.execPath,
      '-e',
      `process.stdin.on('data', () => console.log('{"jsonrpc":"2.0","id":"t-1","error":{"code":-32022,"message":"no"}}'))`,
    ],
  }
  const heard = await caller(refusing).open()
  expect(heard).toMatchObject({ status: 200, sessionId: undefined, error: { code: -32022 } })
  await gone(Number(news[0]?.pid))
})

test('forgetting an upstream ends its children alone', async () => {
  const { opened, transport } = world()
  const { pid } = await opened(echo)
  const other = await opened({ ...echo, name: 'other' })
  await transport.forget('scripted')
  await gone(pid)
  expect(isAlive(other.pid)).toBe(true)
})
