/**
 * A comparison that stops at the first difference tells how far a guess was right. Mallory has seen parts of a token and
 * of a session id, and measures how long wrong ones take.
 */
import { expect, test } from 'vitest'
import { createKeyring } from '#secrets'
import { dottedName, isNode, readSource, type Source, type SyntaxNode } from '../architecture/source.ts'
import { readTree } from '../architecture/tree.ts'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, initialize } from '../world/messages.ts'

const secret = /token(?!Hash|s\b)|secret|password(?!Hash)|recoveryCode|sessionId|presented|bearer/i
const comparing = /^(?:equals|compare|startsWith|endsWith|localeCompare|includes|indexOf)$/

/** What is compared by `node`, if it compares two values of which neither is written out. */
function compared(node: SyntaxNode): SyntaxNode[] {
  const isBinary = node.type === 'BinaryExpression' && /^[=!]==?$/.test(String(node['operator']))
  const callee = node.type === 'CallExpression' && isNode(node['callee']) ? node['callee'] : undefined
  const method = isNode(callee?.['property']) ? String(callee['property']['name']) : ''
  const isCall = callee?.type === 'MemberExpression' && comparing.test(method)
  if (!isBinary && !isCall) return []
  const operands = isBinary ? [node['left'], node['right']] : [callee?.['object'], ...(node['arguments'] as unknown[])]
  const isWritten = (operand: SyntaxNode): boolean =>
    ['Literal', 'UnaryExpression', 'TemplateLiteral'].includes(operand.type) ||
    operand['name'] === 'undefined' ||
    /Refusals\./.test(dottedName(operand))
  return operands.filter(isNode).some(isWritten) ? [] : operands.filter(isNode)
}

function comparisonsOfSecrets(source: Source): string[] {
  return source.nodes
    .filter((node) => compared(node).some(({ start, end }) => secret.test(source.text.slice(start, end))))
    .map(({ start, end }) => `${source.path} ${source.text.slice(start, end)}`)
}

const rooms = /^src\/(?:identity|secrets|gateway|admin|upstream|platform\/http)\/.*\.ts$/

proves(
  'AUT-6',
  'no secret that somebody presents is compared with the one that is kept, only its hash looked up',
  () => {
    const sources = readTree().sources.filter(({ path }) => rooms.test(path) && !path.endsWith('.test.ts'))
    expect(sources.length).toBeGreaterThan(100)
    const harmless = [
      // WHY: the resource of a token is a public address.
      'src/identity/credentials/resource.ts canonical === presented',
      'src/identity/credentials/resource.ts canonical === canonicalResource(presented)',
      // WHY: both ids were opened from sealed values; a client's text is never on either side.
      'src/gateway/in-flight.ts upstreamSessionId !== owner.upstreamSessionId',
      // WHY: a progress token numbers a request; it is no secret.
      'src/upstream/transports/conversation.ts (this.#isShared ? pending.id : pending.progressToken) === token',
      "src/upstream/bridge/modern-call.ts message.params?.['progressToken'] !== this.id",
      // WHY: the first characters of these ids say of which kind they are, and are the same in all of them.
      'src/upstream/balance/session-ids.ts sessionId.charCodeAt(0) !== mark',
      'src/upstream/transports/http-sse/http-sse.ts request.sessionId?.startsWith(idPrefix)',
      // WHY: whether there is a secret is compared, not the secret.
      "src/identity/federation/providers.ts (clientAuthentication === 'none') !== (secret === undefined)",
      'src/identity/oauth-exchange/exchange-grant.ts (token === undefined) !== (type === undefined)',
      // WHY: the id of a client is public.
      'src/identity/oauth/configuration.ts token.clientId === client.clientId',
      'src/identity/oauth/configuration.ts token.clientId !== terminalClient',
      // WHY: names of grants and of kinds of tokens are constants of the standard.
      'src/identity/oauth/give-tokens.ts grantTypeOf(ctx) === tokenExchange',
      'src/identity/oauth-clients/add-client.ts grantTypes.includes(tokenExchange) !== exchangeResources.length > 0',
      'src/identity/oauth-clients/add-client.ts grantTypes.includes(tokenExchange)',
      'src/identity/oauth-exchange/exchange-grant.ts (params.requested_token_type ?? tokenTypes.access) !== tokenTypes.access',
      'src/identity/oauth-exchange/read-subject.ts sent.type !== tokenTypes.access',
      'src/identity/oauth-exchange/read-subject.ts type !== tokenTypes.access',
      'src/identity/oauth-exchange/read-subject.ts type === tokenTypes.jwt',
      // WHY: both sides come with the request: the token, and what its own sender signed about it.
      "src/identity/oauth/verify-proof.ts ath === hash('sha256', token, 'base64url')",
      // WHY: the id of a browser's session is not its cookie, and one side was opened from a sealed value.
      'src/identity/passkey/ceremonies.ts content.sessionId === subject.sessionId',
      'src/identity/federation/prove-there.ts principal?.credential.id !== proving.sessionId',
    ]
    const found = sources.flatMap(comparisonsOfSecrets)
    expect(found.filter((each) => !harmless.includes(each))).toEqual([])
  },
)

test('a comparison of secrets is found however it is made', () => {
  const text = [
    'if (token === row.token) x()',
    'if (row.secret != given) x()',
    'Buffer.from(token).equals(kept)',
    'kept.startsWith(presented)',
    "token === undefined || token === ''",
    'row.tokenHash === hash',
    'timingSafeEqual(token, kept)',
  ]
  expect(comparisonsOfSecrets(readSource('src/identity/a.ts', text.join('\n')))).toHaveLength(4)
})

function other(character: string | undefined): string {
  return character === 'A' ? 'B' : 'A'
}

/** The text with the character at this place exchanged. */
function wrongAt(text: string, at: number): string {
  return text.slice(0, at) + other(text[at]) + text.slice(at + 1)
}

function median(values: readonly number[]): number {
  return values.toSorted((one, another) => one - another)[Math.floor(values.length / 2)] ?? 0
}

/** How much longer the slower of two takes, measured in turns. */
async function differenceOf(one: () => unknown, another: () => unknown, turns: number): Promise<number> {
  const [first, second]: [number[], number[]] = [[], []]
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [work, times] of turn % 2 === 0
      ? ([
          [one, first],
          [another, second],
        ] as const)
      : ([
          [another, second],
          [one, first],
        ] as const)) {
      const started = performance.now()
      await work()
      times.push(performance.now() - started)
    }
  }
  return Math.abs(median(first) / median(second) - 1)
}

proves(
  'AUT-6',
  'a wrong token, and a wrong session, takes as long and says the same wherever it is wrong',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const opened = await world.post({ token, message: initialize })
    const session = opened.headers.get('mcp-session-id') ?? ''
    const before = world.books.arrived.length
    const body = session.lastIndexOf('.') + 1
    const told = new Set<string>()
    const tries: [string, string, string][] = [4, 20, token.length - 1].map((at) => [
      wrongAt(token, at),
      session,
      'token',
    ])
    for (const at of [body, body + 20, session.length - 1]) tries.push([token, wrongAt(session, at), 'session'])
    for (const [withToken, withSession, what] of tries) {
      const answer = await world.post({
        token: withToken,
        headers: { 'mcp-session-id': withSession },
        message: callTool('echo'),
      })
      const error = answer.body['error'] as { message: string; data: { code: string } }
      told.add(`${what} ${answer.status} ${error.message} ${error.data.code}`)
    }
    expect(told.size).toBe(2)
    expect(world.books.arrived).toHaveLength(before)
    expect(await world.ledger('&event=call.refused')).toHaveLength(tries.length)

    const keyring = createKeyring({ rootKey: new Uint8Array(32).fill(7) })
    const sealed = keyring.seal(Buffer.from('an upstream session'), 'mcp-session/books/ben')
    const at = sealed.lastIndexOf('.') + 20
    const open = (text: string) => () => {
      for (let count = 0; count < 20; count += 1) expect(keyring.open(text, 'mcp-session/books/ben')).toBeUndefined()
    }
    const differences = []
    for (let attempt = 0; attempt < 3; attempt += 1) {
      differences.push(await differenceOf(open(wrongAt(sealed, at)), open(wrongAt(sealed, sealed.length - 3)), 400))
    }
    expect(Math.min(...differences)).toBeLessThan(0.1)
  },
)
