/**
 * Mallory may call one tool. She fills her call with as many arguments as a body holds, all under one name of a million
 * letters: each of them is one that a rule could read, and its key is as long as that name.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const mebibyte = 1_048_576

function rules(count: number): string {
  const conditions = Array.from({ length: count }, (_, index) => [
    `context.texts.hasTag("key${index}") && context.texts.getTag("key${index}") == "bad"`,
    `context.lists.hasTag("list${index % 4}") && context.lists.getTag("list${index % 4}").contains("bad${index}")`,
  ])
  return conditions
    .flat()
    .map((when, index) => `@id("r${index}")\nforbid (principal, action, resource) when { ${when} };\n`)
    .join('')
}

function members(count: number): Record<string, boolean> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, true]))
}

function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `t${index}`)
}

proves(
  'POL-7',
  'arguments by the hundred thousand, and names by the mebibyte, cost a node what their size is worth',
  async () => {
    const env = { CASTELLAN_POLICY__REJUDGED_PER_MILLION: '1000000' }
    const world = await startWorld({ env })
    const [mallory, ben] = [await world.join('mallory', [reader]), await world.join('ben', [reader])]
    const [hers, his] = [await mallory.mint('books'), await ben.mint('books')]
    await publishPolicy(world.ana, rules(40))
    const calm = await world.post({ token: his, message: callTool('echo', 'calm') })
    expect(calm.body).toHaveProperty('result')
    const flood = (args: object) => {
      const message = callTool('echo', 'flood')
      return world.post({ token: hers, message: { ...message, params: { name: 'echo', arguments: args } } })
    }
    const before = process.memoryUsage().rss
    const { user, system } = process.cpuUsage()
    for (const args of [
      { text: 'wide', ...members(200_000) },
      { text: 'long', ...Object.fromEntries([0, 1, 2, 3].map((index) => [`list${index}`, texts(60_000)])) },
      { text: 'deep', ['n'.repeat(mebibyte)]: members(100_000) },
    ]) {
      const answer = await flood(args)
      expect(answer.status).toBe(200)
    }
    const answered = await world.post({ token: his, message: callTool('echo', 'after') })
    expect(answered.body).toHaveProperty('result')
    const spent = process.cpuUsage()
    expect((spent.user + spent.system - user - system) / 1e6).toBeLessThan(20)
    expect(process.memoryUsage().rss - before).toBeLessThan(1_024 * mebibyte)
    expect(await world.ledger('&event=policy.distrusted')).toEqual([])
  },
  120_000,
)
