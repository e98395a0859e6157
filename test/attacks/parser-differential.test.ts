/**
 * Every message that two readers could understand differently is a way past the gateway: it judges by one reading, and
 * the server behind it acts by another. Mallory tries them all, in both eras. What arrives at the server is read by four
 * readers that share no code; they have to agree with each other and with what was judged.
 */
import { expect } from 'vitest'
import { isProblem, readMessage, withIdText } from '#protocol'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { type Reading, readingsOf } from '../world/wire/json-readings.ts'
import { entriesOf } from '../world/edge/entries.ts'

const nest = (levels: number, open: string, close: string): string => open.repeat(levels) + '1' + close.repeat(levels)

/** Values of an argument. */
const values: readonly string[] = [
  '0',
  '-0',
  '1',
  '-1',
  '0.0',
  '-0.0',
  '1.0',
  '1E2',
  '1e+2',
  '1e-2',
  '0.1',
  '19.99',
  '1.50',
  '100000000000000000000',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740991',
  '-9007199254740993',
  '1e15',
  '1e21',
  '18446744073709551615',
  '1e308',
  '1e309',
  '1e400',
  '-1e400',
  '1e-323',
  '1e-400',
  '5e-324',
  '0e0',
  '0E400',
  '1e1000000',
  '0.1000000000000000055',
  '0.30000000000000004',
  '0.3000000000000000444',
  '1.7976931348623157e308',
  '123456789.123456789',
  '.5',
  '5.',
  '+1',
  '01',
  '-',
  '0x10',
  '1e',
  '1e+',
  '1_000',
  'NaN',
  'Infinity',
  '-Infinity',
  '1 2',
  '١',
  '１',
  'true',
  'false',
  'null',
  'True',
  'nil',
  'undefined',
  'tru',
  'nulll',
  "'a'",
  'a',
  '`a`',
  '~',
  'yes',
  '*a',
  '&a 1',
  '!!str 1',
  '""',
  '"a"',
  '"é"',
  '"\\u00e9"',
  '"e\\u0301"',
  '"\\/"',
  '"/"',
  '"\\b\\f\\n\\r\\t\\"\\\\"',
  '"\\u001f"',
  '"\u007f"',
  '"\u0085"',
  '"\u2028"',
  '"\\u2028"',
  '"\ufeff"',
  '"\\ufeff"',
  '"😀"',
  '"\\ud83d\\ude00"',
  '"\\uD83D\\uDE00"',
  '"\\ud83d"',
  '"\\ude00\\ud83d"',
  '"\\ud83d\\u0041"',
  '"\\ud800\\udc00"',
  '"\\udbff\\udfff"',
  '"\\uffff"',
  '"\\ufffe"',
  '"\ufffd"',
  '"\\x41"',
  '"\\u41"',
  '"\\u{41}"',
  '"\\a"',
  '"\\\'"',
  '"\\0"',
  '"\\\n"',
  '"a\tb"',
  '"a\nb"',
  '"a\u0000b"',
  '"',
  '"\\"',
  '"\\u004"',
  '"\\u00zz"',
  '"--"',
  '"#"',
  '": "',
  '[]',
  '[ ]',
  '[1]',
  '[1,2]',
  '[1 ,2 ]',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[',
  ']',
  '[1',
  '[1}',
  '[[[]]]',
  '[null,null]',
  '[1;2]',
  '{}',
  '{ }',
  '{"a":1}',
  '{"a" :1 }',
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{:1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{null:1}',
  '{"a":1,"a":1}',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '{"é":1,"\\u00e9":2}',
  '{"é":1,"e\\u0301":2}',
  '{"a":1,"A":2}',
  '{"a":{},"a":[]}',
  '{"":1}',
  '{"":1,"":2}',
  '{"a":{"b":1,"b":2}}',
  '[{"a":1},{"a":2}]',
  '{"1":1,"01":2}',
  '{"1":1,"1":2}',
  '{"2":1,"1":2}',
  '{"a\\u0000":1,"a":2}',
  '{"__proto__":1}',
  '{"__proto__":{"a":1}}',
  '{"\\u005f_proto__":1}',
  '{"constructor":1}',
  '{"prototype":{}}',
  '{"toString":1}',
  '{"length":1}',
  '1//c',
  '1/*c*/',
  '/*c*/1',
  '#c\n1',
  '1\u00a0',
  '\u00a01',
  '\u20281',
  '\ufeff1',
  '1\u000b',
  '1\u000c',
  '1\u0000',
  '\t1\r\n',
  '(1)',
  '1;',
  nest(50, '[', ']'),
  nest(61, '[', ']'),
  nest(62, '[', ']'),
  nest(61, '{"a":', '}'),
  nest(62, '{"a":', '}'),
  nest(500, '[', ']'),
  `"${'a'.repeat(70_000)}"`,
  `[${'1,'.repeat(20_000)}1]`,
  `{${Array.from({ length: 3_000 }, (_, n) => `"k${n}":${n}`).join(',')}}`,
]

type Spell = (call: string) => string

const swap =
  (good: string, instead: string): Spell =>
  (call) =>
    call.replace(good, () => instead)

/** Ways to write the call itself. */
const spellings: readonly Spell[] = [
  (call) => call,
  (call) => `  \n${call}\r\n\t `,
  (call) => call.replaceAll(':', ' : ').replaceAll(',', ' ,\n'),
  (call) => JSON.stringify(JSON.parse(call), undefined, '\t'),
  (call) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(call) as object).toReversed())),
  swap('"name"', '"n\\u0061me"'),
  swap('"name":"echo"', '"name":"\\u0065cho"'),
  swap('"tools/call"', '"tools\\/call"'),
  swap('"tools/call"', '"tools\\u002fcall"'),
  swap('"method"', '"\\u006dethod"'),
  swap('"id":7', '"\\u0069d":7'),
  swap('"id":7', '"id" :\t7 '),
  swap('"id":7', '"id":"7"'),
  swap('"id":7', '"id":"\\u0037"'),
  swap('"id":7', '"id":7.0'),
  swap('"id":7', '"id":7e0'),
  swap('"id":7', '"id":-0'),
  swap('"id":7', '"id":07'),
  swap('"id":7', '"id":9007199254740993'),
  swap('"id":7', '"id":"\\ud83d"'),
  swap('"id":7', '"id":7,"id":8'),
  swap('"id":7', '"id":7,"ID":8'),
  swap('"id":7', '"id":7,"i\\u0064":8'),
  swap('"id":7', '"id":7,"\\u0131d":8'),
  swap('"name":"echo"', '"name":"echo","name":"secret_tool"'),
  swap('"name":"echo"', '"name":"secret_tool","name":"echo"'),
  swap('"name":"echo"', '"name":"echo","Name":"secret_tool"'),
  swap('"name":"echo"', '"name":"echo","n\\u0061me":"secret_tool"'),
  swap('"name":"echo"', '"name":"echo","name\\u0000":"secret_tool"'),
  swap('"name":"echo"', '"name":"echo\\u0000secret_tool"'),
  swap('"name":"echo"', '"name":"echo\\u200b"'),
  swap('"name":"echo"', '"name":["echo"]'),
  swap('"name":"echo"', '"name":{"toString":"echo"}'),
  swap('"name":"echo"', '"name":"ECHO"'),
  swap('"name":"echo"', '"name":"\uff45cho"'),
  swap('"params"', '"params":[],"param\\u0073"'),
  swap('"params"', '"Params":{"name":"secret_tool"},"params"'),
  swap('"arguments"', '"arguments":{"marker":"evil"},"Arguments"'),
  swap('"jsonrpc":"2.0"', '"jsonrpc":"2.0","jsonrpc":"1.0"'),
  swap('"jsonrpc":"2.0"', '"jsonrpc":2.0'),
  swap('"jsonrpc":"2.0"', '"jsonrpc":"2\\u002e0"'),
  (call) => `${call}${call}`,
  (call) => `${call}\n${call}`,
  (call) => `${call},`,
  (call) => `[${call}]`,
  (call) => `${call}\u0000`,
  (call) => `\ufeff${call}`,
  (call) => `)]}',\n${call}`,
  (call) => `data: ${call}`,
  (call) => `/**/${call}`,
  (call) => `--- ${call}`,
  (call) => call.slice(1),
  (call) => JSON.stringify(call),
]

interface Case {
  readonly marker: string
  readonly text: string
  readonly headers: Record<string, string>
}

function corpus(): Case[] {
  return [
    // WHY: without the header a list is a batch, and each message in it one of its own.
    { message: callTool('echo', 'hello', 7), headers: { 'mcp-protocol-version': '2025-11-25' } },
    modern(callTool('echo', 'hello', 7) as never),
  ].flatMap(({ message, headers }, era) => {
    const call = (marker: string, value: string) =>
      JSON.stringify(message).replace('"text":"hello"', () => `"marker":"${marker}","value":${value}`)
    const ofValues = values.map((value, index) => {
      const marker = `value-${era}-${index}-`
      return { marker, text: call(marker, value), headers }
    })
    const ofSpellings = spellings.map((spell, index) => {
      const marker = `spelling-${era}-${index}-`
      return { marker, text: spell(call(marker, '1')), headers }
    })
    return [...ofValues, ...ofSpellings]
  })
}

const cases = corpus()

/** A reading with the id, which the gateway exchanges, taken out. */
function withoutId(reading: Reading): Reading {
  const { members } = reading as { members: readonly [string, Reading][] }
  return { members: members.filter(([key]) => key !== 'id') }
}

function expectAgreement(sent: Case, arrived: string): void {
  const { script, ...others } = readingsOf(arrived)
  for (const [reader, reading] of Object.entries(others)) expect(reading, `${reader} of ${arrived}`).toEqual(script)
  const judged = readMessage(sent.text)
  if (isProblem(judged)) throw new Error(`it arrived, though it is refused: ${sent.text}`)
  const asJudged = readingsOf(JSON.stringify(judged.json))['script']
  expect(withoutId(script as Reading), arrived).toEqual(withoutId(asJudged as Reading))
  expect({ method: judged.method, name: judged.name }).toEqual({ method: 'tools/call', name: 'echo' })
  const { id } = JSON.parse(arrived) as { id: string }
  expect(arrived, 'to the letter').toBe(withIdText(judged, id))
}

async function sendAll(world: World, token: string): Promise<Map<string, number>> {
  const told = new Map<string, number>()
  for (let from = 0; from < cases.length; from += 20) {
    const batch = cases.slice(from, from + 20).map(async ({ marker, text, headers }) => {
      const answer = await world.post({ token, message: text, headers })
      const { error } = answer.body as { error?: { code: number } }
      told.set(marker, error?.code ?? 0)
    })
    await Promise.all(batch)
  }
  return told
}

proves(
  ['MSG-3', 'MSG-1'],
  `what is judged is what every reader finds at the server, in ${cases.length} messages`,
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const told = await sendAll(world, token)
    let forwarded = 0
    for (const each of cases) {
      const arrived = world.books.arrived.filter(({ body }) => body.includes(each.marker))
      const code = told.get(each.marker)
      expect(arrived.length, each.text).toBe(code === 0 ? 1 : 0)
      if (arrived[0] === undefined) {
        expect([-32700, -32600, -32602, -32020], each.text).toContain(code)
        continue
      }
      forwarded += 1
      expectAgreement(each, arrived[0].body)
    }
    expect(cases.length).toBeGreaterThan(400)
    expect(forwarded).toBeGreaterThan(150)
    expect(cases.length - forwarded).toBeGreaterThan(200)
    const completed = await entriesOf(world, 'event=call.completed', forwarded)
    expect(completed.every(({ target }) => target?.name === 'echo')).toBe(true)
  },
  120_000,
)
