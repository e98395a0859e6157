import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { runCli } from '../run.ts'

const token = `cse_${'a'.repeat(43)}`
const otpauthUri = 'otpauth://totp/castellan:ana?secret=JBSWY3DPEHPK3PXP&issuer=castellan'
const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

type Answer = { status: number; body: object }

/** A server that answers each path with its next answer and remembers what it was sent. */
async function startServer(script: Record<string, Answer[]>) {
  const sent: { path: string; body: Record<string, unknown> }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const path = (request.url ?? '').replace('/api/v1/enrolments/', '')
      sent.push({ path, body: JSON.parse(text) as Record<string, unknown> })
      const { status, body } = script[path]?.shift() ?? { status: 500, body: {} }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { link: `http://127.0.0.1:${(server.address() as AddressInfo).port}/setup#${token}`, sent }
}

const refused = (code: string): Answer => ({ status: 422, body: { code, title: `refused ${code}`, hint: 'hint' } })
const begun: Answer = { status: 200, body: { kind: 'setup', secondFactor: 'required' } }
const chosen: Answer = { status: 200, body: { otpauthUri, secret: 'JBSWY3DPEHPK3PXP' } }
const recoveryCodes = Array.from({ length: 10 }, (_, index) => `code-${index}-xxxx`)
const finished: Answer = { status: 200, body: { principalName: 'ana', recoveryCodes } }
const up = () => Promise.reject(new Error('not in these tests'))

test('a person is set up in the terminal, with a second chance for every mistake', async () => {
  const { link, sent } = await startServer({
    begin: [begun],
    choose: [refused('identity.password-common'), chosen],
    finish: [refused('identity.code-wrong'), finished],
  })
  const terminal = createTestTerminal({ hasPerson: true, environment: { LANG: 'C.UTF-8' } })
  const running = runCli(['setup', '--terminal', '--link', link], { up, terminal })
  const conversation: [question: RegExp, keys: string][] = [
    [/Name/, 'ana'],
    [/Password/, 'password one two'],
    [/The same again/, 'password one too'],
    [/the two were not the same[^]*Password/, 'password one two'],
    [/The same again/, 'password one two'],
    [/refused identity\.password-common[^]*Name/, ''],
    [/Password/, 'a castle above the river'],
    [/The same again/, 'a castle above the river'],
    [/Code from the app/, '111111'],
    [/refused identity\.code-wrong[^]*Code from the app/, '222 222'],
  ]
  for (const [question, keys] of conversation) {
    await terminal.waitFor(question)
    terminal.type(`${keys}\r`)
  }
  expect(await running).toBe(0)
  expect(sent.map(({ path }) => path)).toEqual(['begin', 'choose', 'choose', 'finish', 'finish'])
  expect(sent[2]?.body).toEqual({ token, name: 'ana', password: 'a castle above the river' })
  expect(sent[4]?.body).toEqual({ token, code: '222 222' })
  expect(terminal.err()).toContain('JBSW Y3DP EHPK 3PXP')
  expect(terminal.err()).toContain('\u001b[97;40m')
  for (const code of recoveryCodes) expect(terminal.out()).toContain(code)
  expect(terminal.out() + terminal.err()).not.toMatch(/castle above|password one/)
})

test('a link that was used ends the set-up at once', async () => {
  const { link, sent } = await startServer({
    begin: [{ status: 404, body: { code: 'identity.enrolment-invalid', title: 'used', hint: 'ask' } }],
  })
  const terminal = createTestTerminal({ hasPerson: true })
  expect(await runCli(['setup', '--terminal', '--link', link], { up, terminal })).toBe(6)
  expect(sent).toHaveLength(1)
})

test('Ctrl-C at a question ends with exit code 130 and changes nothing', async () => {
  const { link, sent } = await startServer({ begin: [begun] })
  const terminal = createTestTerminal({ hasPerson: true })
  const running = runCli(['setup', '--terminal', '--link', link], { up, terminal })
  await terminal.waitFor(/Name/)
  terminal.type('\u0003')
  expect(await running).toBe(130)
  expect(sent).toHaveLength(1)
})

test('the link of an unencrypted server elsewhere is not followed', async () => {
  const terminal = createTestTerminal({ hasPerson: true })
  const link = `http://castellan.example/setup#${token}`
  expect(await runCli(['setup', '--terminal', '--link', link], { up, terminal })).toBe(1)
  expect(terminal.err()).toContain('cli.plaintext-admin-url')
})
