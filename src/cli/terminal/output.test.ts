import { expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { CliFailure } from '../failure.ts'
import { createOutput } from './output.ts'
import { widthOf } from './printable.ts'
import { columnWidths } from './table.ts'

const plain = { isJson: false, isQuiet: false }
const clearScreen = '\u001b[2J'

interface Tool {
  name: string
  description: string
}

const columns = [
  { title: 'NAME', cell: (tool: Tool) => tool.name, isFixed: true },
  { title: 'DESCRIPTION', cell: (tool: Tool) => tool.description },
]

test.each([80, 40, 20])('a table fits a terminal of %i columns', (width) => {
  const terminal = createTestTerminal({ isTTY: true, columns: width, environment: { NO_COLOR: '1' } })
  createOutput(terminal, plain).table([{ name: 'read', description: 'x'.repeat(300) }], columns, '')
  const lines = terminal.out().trimEnd().split('\n')
  expect(Math.max(...lines.map(widthOf))).toBe(width)
  expect(lines[1]).toMatch(/^read  x+…$/)
})

test('where even the fixed columns are too wide, they give way too, the first one last', () => {
  expect(
    columnWidths(
      [
        { cells: 36, isFixed: true },
        { cells: 9, isFixed: false },
        { cells: 20, isFixed: true },
      ],
      60,
    ),
  ).toEqual([36, 6, 14])
  expect(
    columnWidths(
      [
        { cells: 36, isFixed: true },
        { cells: 9, isFixed: false },
        { cells: 20, isFixed: true },
      ],
      40,
    ),
  ).toEqual([24, 6, 6])
})

test('a table that nobody looks at is whole', () => {
  const terminal = createTestTerminal()
  createOutput(terminal, plain).table([{ name: 'read', description: 'x'.repeat(300) }], columns, '')
  expect(terminal.out()).toContain('x'.repeat(300))
})

test('columns stay aligned beside wide characters', () => {
  const terminal = createTestTerminal()
  const rows = [
    { name: '日本', description: 'one' },
    { name: 'abcd', description: 'two' },
  ]
  createOutput(terminal, plain).table(rows, columns, '')
  expect(terminal.out().split('\n').slice(1, 3)).toEqual(['日本  one', 'abcd  two'])
})

test('an empty table says what to run, on stderr', () => {
  const terminal = createTestTerminal()
  createOutput(terminal, plain).table([], columns, 'add one with: castellan upstream add')
  expect(terminal.out()).toBe('')
  expect(terminal.err()).toBe('add one with: castellan upstream add\n')
})

test('text of others cannot steer the terminal, whichever way it is printed', () => {
  const terminal = createTestTerminal({ isTTY: true, environment: { NO_COLOR: '1' } })
  const output = createOutput(terminal, plain)
  const hostile = `a${clearScreen}\u001b]0;owned\u0007\r\nb`
  output.line(hostile, { text: hostile, tone: 'bad' })
  output.facts([['name', hostile]])
  output.table([{ name: hostile, description: hostile }], columns, '')
  output.note(hostile)
  output.say(hostile)
  output.fail(new CliFailure('remote', 'x.y', hostile, hostile))
  expect(terminal.out() + terminal.err()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
})

test('a live line cannot steer the terminal either', () => {
  const terminal = createTestTerminal({ isTTY: true })
  createOutput(terminal, plain).live(`50%${clearScreen}`)
  expect(terminal.err()).toBe('50%\\u{1b}[2J')
})

test('with JSON, stdout is one document and remarks are silent', () => {
  const terminal = createTestTerminal()
  const output = createOutput(terminal, { isJson: true, isQuiet: false })
  output.note('hello')
  output.result({ a: `1${clearScreen}` }, () => output.line('never'))
  expect(terminal.out()).toBe('{"a":"1\\u001b[2J"}\n')
  expect(terminal.err()).toBe('')
})

test('an error is one line and its hint another', () => {
  const terminal = createTestTerminal()
  createOutput(terminal, plain).fail(
    new CliFailure('signIn', 'identity.sign-in-refused', 'not right', 'run `castellan login`'),
  )
  expect(terminal.err()).toBe('error[identity.sign-in-refused]: not right\n  hint: run `castellan login`\n')
})

test('under npx, hints name the command that works there', () => {
  const terminal = createTestTerminal({ environment: { npm_command: 'exec' } })
  createOutput(terminal, plain).fail(new CliFailure('signIn', 'a.b', 'x', 'run `castellan login`'))
  expect(terminal.err()).toContain('hint: run `npx castellan login`')
})

test('with JSON, an error is one line of JSON on stderr', () => {
  const terminal = createTestTerminal()
  createOutput(terminal, { isJson: true, isQuiet: false }).fail(new CliFailure('denied', 'a.b', 'no', 'ask', 'req-1'))
  expect(terminal.err()).toBe('{"error":{"code":"a.b","message":"no","hint":"ask","request_id":"req-1"}}\n')
})

test.each([
  ['a terminal', { isTTY: true }, true],
  ['a terminal with NO_COLOR', { isTTY: true, environment: { NO_COLOR: '1' } }, false],
  ['a dumb terminal', { isTTY: true, environment: { TERM: 'dumb' } }, false],
  ['a pipe', {}, false],
  ['a pipe with FORCE_COLOR', { environment: { FORCE_COLOR: '1' } }, true],
])('%s: colour is used only where it is wanted', (_where, options, isColoured) => {
  const terminal = createTestTerminal(options)
  createOutput(terminal, plain).line({ text: 'ok', tone: 'good' })
  expect(terminal.out()).toBe(isColoured ? '\u001b[32mok\u001b[0m\n' : 'ok\n')
})

test('on a terminal, remarks and errors are broken between words; elsewhere they are one line', () => {
  const remark = 'nothing was changed, and the file is as it was before'
  const failure = new CliFailure('usage', 'a.b', remark, 'run `castellan doctor` and look at what it says')
  const written = (isTTY: boolean) => {
    const terminal = createTestTerminal({ isTTY, columns: 30, environment: { NO_COLOR: '1' } })
    const output = createOutput(terminal, plain)
    output.note({ text: remark, tone: 'dim' })
    output.fail(failure)
    return terminal.err().trimEnd().split('\n')
  }
  expect(written(true)).toEqual([
    'nothing was changed, and the',
    'file is as it was before',
    'error[a.b]: nothing was',
    'changed, and the file is as it',
    'was before',
    '  hint: run `castellan doctor`',
    'and look at what it says',
  ])
  expect(written(false)).toHaveLength(3)
})
