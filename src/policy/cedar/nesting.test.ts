import { expect, test } from 'vitest'
import { formatPolicy } from '../change/format.ts'
import { compilePolicy } from './compile.ts'
import { askOfficial, gaveUp } from './official.ts'
import { createJudge, officialRule } from './judge.ts'
import { depthProblem, mostBrackets, mostNested } from './nesting.ts'

const rule = (condition: string) => `permit (principal, action, resource) when { ${condition} };`
const compile = (text: string) => compilePolicy({ roles: [], files: [{ name: 'a.cedar', text }] }, 1)
const chain = (count: number, operator: string, operand = 'true') => Array(count).fill(operand).join(` ${operator} `)

/** Operators of each form at the limit. The head of a rule has one bracket and the word `when`. */
const deepest: Readonly<Record<string, (short: number) => string>> = {
  'a chain of &&': (short) => rule(chain(mostNested - 1 - short, '&&')),
  'a chain of ||': (short) => rule(chain(mostNested - 1 - short, '||')),
  'a chain of +': (short) => rule(`${chain(mostNested - 2 - short, '+', '1')} > 0`),
  'a chain behind a bracket': (short) => rule(`(${chain(200, '&&')}) && ${chain(mostNested - 202 - short, '&&')}`),
  'a chain in a bracket': (short) => rule(`${chain(200, '&&')} && (${chain(mostNested - 202 - short, '&&')})`),
  'members of records': (short) => rule(`${chain(mostNested - 4 - short, '||')} || {a: true}.a`),
  brackets: (short) => rule(`${'('.repeat(mostBrackets - 1 - short)}true${')'.repeat(mostBrackets - 1 - short)}`),
  lists: (short) => {
    const inner = mostBrackets - 1 - short
    return rule(`${'['.repeat(inner)}1${']'.repeat(inner)} == ${'['.repeat(inner)}2${']'.repeat(inner)}`)
  },
}

test.each(Object.entries(deepest))(
  '%s is read, formatted and judged at the limit, and beyond it a problem',
  (_, make) => {
    const text = make(0)
    expect(depthProblem(text)).toBeUndefined()
    const compilation = compile(text)
    if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems))
    expect(formatPolicy(text)).toHaveProperty('text')
    expect(() => createJudge()(compilation.policy.rules.map(officialRule))).not.toThrow()

    const beyond = `\n\n${make(-1)}`
    expect(compile(beyond)).toMatchObject({ isValid: false, problems: [{ file: 'a.cedar', line: 3 }] })
    expect(formatPolicy(beyond)).toHaveProperty('problem', depthProblem(beyond))
    const inRole = {
      permissions: ['tools:call'],
      resources: ['a'],
      when: make(-1).slice(rule('').length - 4, -3),
    } as const
    expect(compilePolicy({ roles: [{ name: 'r', grants: [inRole] }], files: [] }, 1)).toMatchObject({ isValid: false })
  },
)

test('what is beside something, in a text or in a comment is not below it', () => {
  const wide = rule(`[${chain(5_000, ',', '"(((&&&"')}].contains("x") /* no comment */`.replace(/ \/\*.*/, ''))
  expect(depthProblem(wide)).toBeUndefined()
  expect(compile(wide).isValid).toBe(true)
  const many = chain(mostNested * 3, '\n', 'permit (principal, action, resource) when { true };')
  expect(depthProblem(many)).toBeUndefined()
  expect(depthProblem(`// ${'('.repeat(100)} && && \n${rule('true')}`)).toBeUndefined()
  expect(depthProblem(`${rule('true')} // ${'['.repeat(100)}`)).toBeUndefined()
  expect(depthProblem(rule(`"${'('.repeat(100)}\\" ${'['.repeat(100)}" == "x"`))).toBeUndefined()
  const pairs = chain(190, '||', '(true && context.texts.hasTag("a") && 1 + 2 == 3)')
  expect(depthProblem(rule(pairs))).toBeUndefined()
})

test.each([
  ['closing brackets that close nothing', `${')'.repeat(100)}${'('.repeat(mostBrackets)}`, undefined],
  ['brackets that are left open', '('.repeat(mostBrackets + 1), 'brackets'],
  [
    'operators in brackets that are left open',
    `${chain(200, '&&')} && (${chain(200, '&&')} && (${chain(5, '&&')}`,
    'operators',
  ],
  ['a string that is left open', `"${'('.repeat(100)}`, undefined],
  ['clauses', `permit (principal, action, resource) ${'when { true } '.repeat(mostNested + 1)};`, 'operators'],
  ['conditions in conditions', rule(`${'if true then true else '.repeat(mostNested / 3)}true`), 'operators'],
])('%s have a depth, too', (_, text, problem) => {
  if (problem === undefined) expect(depthProblem(text)).toBeUndefined()
  else expect(depthProblem(text)).toContain(problem)
})

test('an engine that gave up is not asked again', () => {
  const tooDeep = rule(`${'('.repeat(5_000)}true${')'.repeat(5_000)}`)
  const judge = createJudge()([{ id: 'all', text: rule('true') }])
  for (let round = 0; round < 3; round += 1) {
    expect(askOfficial((engine) => engine.policyToJson(tooDeep))).toBeUndefined()
    expect(askOfficial((engine) => engine.policyToJson(rule('true')))).toMatchObject({ type: 'success' })
    expect(compile(rule('true')).isValid).toBe(true)
  }
  const unfit = {
    principal: { type: 'No', id: 'x' },
    action: { type: 'No', id: 'x' },
    resource: { type: 'No', id: 'x' },
  }
  // WHY: it is told what the new engine says of the question, not that it knows no such rules.
  expect(judge({ ...unfit, context: {}, entities: [] }).problem).toContain('No')
  expect(gaveUp).toContain('gave up')
})
