import { describe, expect, test } from 'vitest'
import * as comments from './comments.ts'
import * as doors from './doors.ts'
import * as habits from './habits.ts'
import * as imports from './imports.ts'
import * as machine from './machine.ts'
import * as names from './names.ts'
import * as sizes from './sizes.ts'
import { readSource, type Source } from './source.ts'

type File = readonly [path: string, text: string]

interface Case {
  readonly rule: (sources: readonly Source[]) => string[]
  /** Each is a violation on its own. */
  readonly breaks: readonly File[]
  /** None is a violation, though each comes close. */
  readonly keeps: readonly File[]
}

const full =
  '/**\n * Answers whether.\n * Stops the liar.\n * Trusts nobody.\n * Fails shut.\n */\nexport const x = 1\n'
const repeated = (count: number): string => 'export const x = 1\n'.repeat(count)
const functionOf = (lines: number): string => `export function f() {\n${'  g()\n'.repeat(lines - 2)}}\n`

const importCases: readonly Case[] = [
  {
    rule: imports.importsUpward,
    breaks: [
      ['src/policy/a.ts', "import { x } from '#gateway'"],
      ['src/policy/a.ts', "import { x } from '#identity'"],
      ['src/platform/http/a.ts', "import { x } from '#protocol'"],
      ['src/kernel/a.ts', "import type { x } from '#platform/http'"],
      ['src/audit/a.ts', "export { x } from '#policy'"],
      ['src/audit/a.ts', "export const x = await import('#policy')"],
      ['src/audit/a.ts', "export type X = import('#policy').X"],
      ['src/audit/a.test.ts', "import { x } from '#policy'"],
      ['src/policy/a.ts', "import { x } from '#nowhere'"],
      ['src/billing/a.ts', 'export const x = 1'],
      ['src/loose.ts', 'export const x = 1'],
    ],
    keeps: [
      ['src/policy/a.ts', "import { x } from '#audit'\nimport { y } from '#kernel'"],
      ['src/platform/http/a.ts', "import { x } from '#platform/files'"],
      ['src/audit/a.ts', "// import { x } from '#policy'\nexport const x = \"import('#policy')\""],
      ['src/compose.ts', "import { x } from '#admin'"],
    ],
  },
  {
    rule: imports.controlPlaneImportsGateway,
    breaks: [
      ['src/admin/a.ts', "import { x } from '#gateway'"],
      ['src/cli/commands/a.ts', "await import('#gateway')"],
    ],
    keeps: [['src/admin/a.ts', "import { x } from '#policy'"]],
  },
  {
    rule: imports.importsRoof,
    breaks: [
      ['src/cli/a.ts', "import { x } from '../compose.ts'"],
      ['src/admin/pages/a.ts', "import { x } from '../../main.ts'"],
    ],
    keeps: [['src/main.ts', "import { x } from './compose.ts'"]],
  },
  {
    rule: imports.bypassesDoor,
    breaks: [
      ['src/policy/a.ts', "import { x } from '../audit/ledger.ts'"],
      ['src/policy/a.ts', "import type { x } from '../audit/ledger.ts'"],
      ['src/compose.ts', "import { x } from './policy/decide.ts'"],
      ['src/platform/http/a.ts', "import { x } from '../files/folder.ts'"],
      ['src/policy/a.ts', "import { x } from '#Audit'"],
      ['src/policy/a.ts', "import { x } from '#audit/ledger/deep'"],
      ['src/policy/a.ts', "import { x } from '../../tools/build.ts'"],
    ],
    keeps: [
      ['src/policy/roles/a.ts', "import { x } from '../decide.ts'"],
      ['src/policy/a.test.ts', "import { x } from '../../test/world/clock.ts'"],
    ],
  },
  {
    rule: imports.climbsTooFar,
    breaks: [
      ['src/policy/roles/deep/a.ts', "import { x } from '../../decide.ts'"],
      ['src/policy/a.ts', "import { x } from './decide'"],
    ],
    keeps: [
      ['src/policy/roles/a.ts', "import { x } from '../decide.ts'"],
      ['src/policy/roles/a.test.ts', "import { x } from '../../../test/world/clock.ts'"],
    ],
  },
  {
    rule: imports.kernelDepends,
    breaks: [
      ['src/kernel/a.ts', "import { x } from 'zod'"],
      ['src/kernel/a.ts', "import { x } from 'node:path'"],
    ],
    keeps: [['src/kernel/a.ts', "import { x } from './b.ts'"]],
  },
  {
    rule: imports.consoleImportsSource,
    breaks: [
      ['console/src/a.ts', "import { x } from '#policy'"],
      ['console/src/a.ts', "import type { x } from '../../src/policy/index.ts'"],
    ],
    keeps: [['console/src/pages/a.ts', "import { x } from '../api/client.ts'"]],
  },
]

const doorCases: readonly Case[] = [
  {
    rule: doors.exportsByStar,
    breaks: [['src/a/b.ts', "export * from './c.ts'"]],
    keeps: [['src/a/b.ts', '// export *\nexport {}']],
  },
  {
    rule: doors.doorHoldsCode,
    breaks: [
      ['src/policy/index.ts', 'export const x = 1'],
      ['src/platform/http/index.ts', "import { x } from './x.ts'\nexport { x }"],
    ],
    keeps: [
      ['src/policy/index.ts', "export { x } from './x.ts'"],
      ['src/audit/sinks/index.ts', "import { x } from './x.ts'\nexport const sinks = [x]"],
    ],
  },
  {
    rule: doors.onlyReExports,
    breaks: [['src/audit/sinks/index.ts', "export { x } from './x.ts'"]],
    keeps: [['src/audit/index.ts', "export { x } from './x.ts'"]],
  },
  {
    rule: doors.exportsDefault,
    breaks: [['src/a/b.ts', 'export default 1']],
    keeps: [['vitest.config.ts', 'export default {}']],
  },
]

const machineCases: readonly Case[] = [
  {
    rule: machine.touchesMachine,
    breaks: [
      ['src/policy/a.ts', "import { readFileSync } from 'node:fs'"],
      ['src/policy/a.ts', "import { createServer } from 'node:http'"],
      ['src/policy/a.ts', "import { Agent } from 'undici'"],
      ['src/policy/a.ts', 'export const x = process.env.HOME'],
      ['src/policy/a.ts', 'export const x = Date.now()'],
      ['src/policy/a.ts', 'export const x = new Date()'],
      ['src/policy/a.ts', "export const x = await fetch('http://x')"],
      ['src/gateway/a.ts', 'export const x = performance.now()'],
    ],
    keeps: [
      ['src/policy/a.ts', "import type { IncomingMessage } from 'node:http'"],
      ['src/policy/a.ts', "import { type IncomingMessage } from 'node:http'"],
      ['src/policy/a.ts', "import { createHash } from 'node:crypto'"],
      ['src/policy/a.ts', '// Date.now()\nexport const x = new Date(1).toISOString()'],
      ['src/platform/files/a.ts', "import { readFileSync } from 'node:fs'"],
      ['src/upstream/transports/http.ts', "import { Agent } from 'undici'"],
      ['src/policy/a.test.ts', "import { readFileSync } from 'node:fs'"],
    ],
  },
  {
    rule: machine.importsBuiltinBare,
    breaks: [['src/a/b.ts', "import { readFileSync } from 'fs'"]],
    keeps: [['src/a/b.ts', "import { join } from 'node:path'\nimport { x } from 'crypto-js'"]],
  },
]

const commentCases: readonly Case[] = [
  {
    rule: comments.commentsTellHistory,
    breaks: [
      ['src/a/b.ts', '// see #12\nexport const x = 1'],
      ['src/a/b.ts', '// see issue 12\nexport const x = 1'],
      ['src/a/b.ts', '/** since 2026-01-02 */\nexport const x = 1'],
      ['src/a/b.ts', '/** checked in March 2026 */\nexport const x = 1'],
      ['src/a/b.ts', '// TODO later\nexport const x = 1'],
      ['src/a/b.ts', '// previously a list\nexport const x = 1'],
      ['src/a/b.ts', '// a temporary file of code\nexport const x = 1'],
      ['src/a/b.ts', '// it is a map now\nexport const x = 1'],
      ['test/a.test.ts', '/** @author me */\nexport const x = 1'],
    ],
    keeps: [
      [
        'src/a/b.ts',
        '/** revision 2025-11-25, RFC 6238, SHA-256, PKCS #8, control SES-2, `clock.now()` */\nexport const x = 1',
      ],
      ['src/a/b.ts', "export const x = 'TODO 2026-01-02 #12 now'"],
    ],
  },
  {
    rule: comments.commentsHoldCode,
    breaks: [
      ['src/a/b.ts', '// const y = f(1)\nexport const x = 1'],
      ['src/a/b.ts', "//import { y } from './y.ts'\nexport const x = 1"],
    ],
    keeps: [['src/a/b.ts', '// return to sender\nexport const x = 1']],
  },
  {
    rule: comments.commentsNarrate,
    breaks: [
      ['src/a/b.ts', 'export function f() {\n  // add one\n  return 1\n}'],
      ['src/a/b.ts', 'export const f = () => {\n  /* add one */ return 1\n}'],
      ['src/a/b.ts', 'export const f = () => {\n  // WHY: a reason\n  g()\n  // and a story\n  return 1\n}'],
    ],
    keeps: [
      ['src/a/b.ts', 'export function f() {\n  // WHY: a reason\n  // on two lines\n  return 1\n}'],
      ['src/a/b.ts', "// outside\nexport const f = () => 'https://x // y' + `// z ${1}` + /\\/\\//.source"],
      ['src/a/b.test.ts', 'export function f() {\n  // add one\n  return 1\n}'],
    ],
  },
  {
    rule: comments.lacksHeader,
    breaks: [
      ['src/policy/a.ts', 'export const x = 1'],
      ['src/gateway/guards/a.ts', full.replace('Trusts', 'trust')],
      ['src/audit/a.ts', full.replace('Answers', 'line\n * line\n * line\n * line\n * line\n * Answers')],
      ['src/upstream/a.ts', `import { x } from './x.ts'\n${full}`],
    ],
    keeps: [
      ['src/policy/a.ts', full],
      ['src/policy/index.ts', "export { x } from './x.ts'"],
      ['src/policy/a.test.ts', 'export const x = 1'],
      ['src/platform/http/a.ts', 'export const x = 1'],
    ],
  },
  {
    rule: comments.toolLacksReason,
    breaks: [['tools/a.ts', 'export const x = 1']],
    keeps: [['tools/a.ts', '/** Because. */\nexport const x = 1']],
  },
  {
    rule: comments.silencesChecker,
    breaks: [
      ['src/a/b.ts', '// @ts-ignore\nexport const x = 1'],
      ['src/a/b.ts', '// @ts-expect-error\nexport const x = 1'],
      ['test/a.test.ts', '// @ts-nocheck\nexport const x = 1'],
    ],
    keeps: [['test/types/a.test.ts', '// @ts-expect-error a misordered guard\nexport const x = 1']],
  },
]

const otherCases: readonly Case[] = [
  {
    rule: names.badDeclarations,
    breaks: [
      ['src/a/b.ts', 'export interface IThing { x: 1 }'],
      ['src/a/b.ts', 'export type TThing = 1'],
      ['src/a/b.ts', 'export class LedgerImpl {}'],
      ['src/a/b.ts', 'export abstract class BaseLedger {}'],
      ['src/a/b.ts', 'export class TokenManager {}'],
      ['src/a/b.ts', 'export enum Colour { red }'],
    ],
    keeps: [['src/a/b.ts', 'export interface Identity { x: 1 }\nexport type Token = 1\nexport type Imports = 2']],
  },
  {
    rule: habits.titlesHedge,
    breaks: [['src/a/b.test.ts', "test('it should work', () => {})"]],
    keeps: [['src/a/b.test.ts', "test('works', () => { expect('should').toBe('should') })"]],
  },
  {
    rule: habits.mocksModules,
    breaks: [['src/a/b.test.ts', "vi.mock('#policy')"]],
    keeps: [['src/a/b.test.ts', 'const clock = vi.fn()']],
  },
  {
    rule: habits.castsTwice,
    breaks: [['src/a/b.ts', 'export const x = y as unknown as Z']],
    keeps: [['src/a/b.ts', 'export const x = y as unknown']],
  },
  {
    rule: sizes.filesTooLong,
    breaks: [
      ['src/a/b.ts', repeated(401)],
      ['src/compose.ts', repeated(151)],
      ['src/gateway/pipeline.ts', repeated(201)],
      ['src/gateway/guards/a.ts', repeated(151)],
    ],
    keeps: [
      ['src/a/b.ts', repeated(400)],
      ['src/compose.ts', repeated(150)],
      ['src/gateway/pipeline.ts', repeated(200)],
      ['src/gateway/guards/a.ts', repeated(150)],
      ['src/gateway/guards/a.test.ts', repeated(151)],
    ],
  },
  {
    rule: sizes.functionsTooLong,
    breaks: [
      ['src/a/b.ts', functionOf(61)],
      ['test/a.test.ts', `test('x', () => {\n${'  g()\n'.repeat(60)}})`],
    ],
    keeps: [
      ['src/a/b.ts', functionOf(60)],
      ['test/a.test.ts', `describe.each([1])('x', () => {\n${'  g()\n'.repeat(60)}})`],
    ],
  },
  { rule: sizes.emptyFiles, breaks: [['src/a/b.ts', '// nothing']], keeps: [['src/a/b.ts', 'export const x = 1']] },
]

describe.each([...importCases, ...doorCases, ...machineCases, ...commentCases, ...otherCases])(
  '$rule.name',
  ({ rule, breaks, keeps }) => {
    test.each(breaks)('fails on %s: %j', (path, text) => {
      expect(rule([readSource(path, text)])).toHaveLength(1)
    })
    test.each(keeps)('passes %s: %j', (path, text) => {
      expect(rule([readSource(path, text)])).toEqual([])
    })
  },
)

test('kernel holds fewer than 20 files', () => {
  const files = (count: number): Source[] =>
    Array.from({ length: count }, (_, index) => readSource(`src/kernel/a${index}.ts`, 'export const x = 1'))
  expect(imports.kernelDepends(files(19))).toEqual([])
  expect(imports.kernelDepends(files(20))).toHaveLength(1)
})

test('doors and rooms match in both directions', () => {
  const sources = [
    readSource('src/policy/index.ts', "export { x } from './x.ts'"),
    readSource('src/audit/x.ts', 'export {}'),
  ]
  expect(doors.doorsAndRoomsDiffer(sources, { '#gateway': './src/gateway/index.ts' })).toEqual([
    'src/gateway/index.ts: a door to nothing',
    'src/policy/index.ts: a door that package.json does not name',
    'src/audit: a room without a door',
  ])
})

test.each([
  'src/policy/utils.ts',
  'src/services/a.ts',
  'src/policy/token-manager.ts',
  'src/a/camelCase.ts',
  'test/Big.test.ts',
])('the file name %s is refused', (path) => {
  expect(names.badFileNames([path])).toHaveLength(1)
})

test('file names that say what they hold pass', () => {
  expect(names.badFileNames(['src/platform/files/data-folder.ts', 'src/a/decide.test.ts', 'README.md'])).toEqual([])
})

test('folders have ceilings', () => {
  const files = (count: number): string[] => Array.from({ length: count }, (_, index) => `src/a/f${index}.ts`)
  expect(sizes.foldersTooFull([...files(20), 'src/a/f0.test.ts'])).toEqual([])
  expect(sizes.foldersTooFull(files(21))).toHaveLength(1)
  expect(sizes.foldersTooDeep(['src/a/b/c/d/e.ts'])).toEqual([])
  expect(sizes.foldersTooDeep(['src/a/b/c/d/e/f.ts'])).toHaveLength(1)
  expect(sizes.emptyFolders(['src', 'src/a', 'src/b'], ['src/a/x.ts'])).toEqual(['src/b: an empty folder'])
})

test('paths of a machine are found', () => {
  const slash = '/'
  const named = (path: string): string[] => names.namesMachine([{ path: 'docs/a.md', text: `cd ${path} && ls` }])
  expect(named(`${slash}work/main`)).toHaveLength(1)
  expect(named(`${slash}Users/ana/x`)).toHaveLength(1)
  expect(named('~/work/main')).toEqual([])
  expect(named('https://example.test/home/page')).toEqual([])
})

test('a source that does not parse is named', () => {
  expect(() => readSource('src/a/b.ts', 'export const = ')).toThrow('src/a/b.ts does not parse')
})
