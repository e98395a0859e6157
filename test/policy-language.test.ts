import type { Classification } from '#kernel'
import { type Circumstances, type Permission } from '#policy'
import { expect, test } from 'vitest'
import { decideBy, loadPolicy, somebody } from './world/policies/decisions.ts'
import { readTree } from './architecture/tree.ts'

const page = readTree().texts.find(({ path }) => path === 'docs/policy-language.md')?.text ?? ''
const staff = { name: 'staff', grants: [{ permissions: ['tools:call'], resources: ['*'] }] }
const settings = { timeZone: 'UTC', networks: [{ name: 'office', addresses: ['192.0.2.0/24'] }] }

interface Told {
  readonly arguments?: Record<string, unknown>
  readonly address?: string
  readonly at?: string
  readonly effect?: Classification['effect']
  readonly sensitivity?: Classification['sensitivity']
  readonly groups?: readonly string[]
  readonly flow?: readonly string[]
  readonly met?: readonly string[]
  readonly selfRegistered?: boolean
}

interface Example {
  readonly text: string
  readonly rows: readonly { readonly call: string; readonly told: Told; readonly answer: string }[]
}

/** A rule and the table that follows it. */
function examplesIn(text: string): Example[] {
  return text
    .split('```cedar\n')
    .slice(1)
    .map((rest) => {
      const [rules = '', after = ''] = rest.split('```\n')
      const table = after.split('\n\n').find((block) => block.trim().startsWith('| call |')) ?? ''
      const rows = table
        .trim()
        .split('\n')
        .slice(2)
        .map((line) => {
          const [, call = '', told = '', answer = ''] = line.split('|').map((cell) => cell.trim().replaceAll('`', ''))
          return { call, told: JSON.parse(told) as Told, answer }
        })
      return { text: rules, rows }
    })
}

function circumstancesOf(told: Told): Circumstances {
  const { effect = 'execute', sensitivity = 'internal', at, flow = [], met = [] } = told
  const classification = {
    effect,
    sensitivity,
    dataClasses: [],
    owner: '',
    bringsUntrusted: false,
    isOutlet: false,
  }
  return {
    classification,
    callArguments: told.arguments,
    address: told.address ?? '192.0.2.1',
    at: at === undefined ? undefined : Date.parse(at),
    flow: new Set(flow),
    met: new Set(met.map((rule) => `page.cedar${rule}`)),
    consents: new Set(),
  }
}

function answerOf(text: string, call: string, told: Told): string {
  const decide = decideBy(loadPolicy({ roles: [staff], files: [{ name: 'page.cedar', text }] }), settings)
  const [upstream = '', , name = ''] = call.split('/')
  const client = { id: 'c1', name: 'c', scopes: [], isSelfRegistered: told.selfRegistered === true }
  const principal = { ...somebody('staff'), groups: told.groups ?? [], client }
  const permission: Permission = 'tools:call'
  const decision = decide(principal, permission, { upstream, kind: 'tool', name }, circumstancesOf(told))
  const [first] = decision.reasons
  const rule = first?.rule.replace('page.cedar', '')
  if (decision.isAllowed) return 'allowed'
  if (decision.mayDepend) return 'depends'
  if (first?.isConfused === true) return `unjudged by ${rule}`
  const [remedy] = decision.remedies
  return `${remedy?.kind ?? 'denied'} by ${rule}`
}

test('every example of the page of the policy language is valid and decides as the page says', () => {
  const examples = examplesIn(page)
  expect(examples.length).toBeGreaterThan(4)
  for (const { text, rows } of examples) {
    expect(rows.length, text).toBeGreaterThan(0)
    for (const { call, told, answer } of rows) {
      expect(`${call} ${JSON.stringify(told)}: ${answerOf(text, call, told)}`).toBe(
        `${call} ${JSON.stringify(told)}: ${answer}`,
      )
    }
  }
})
