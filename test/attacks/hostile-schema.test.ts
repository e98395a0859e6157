/**
 * A server makes its definitions so deep, so large, so many or so folded into each other that whoever hashes, compares, lists
 * or shows them is busy with nothing else, or runs out of memory. Each is measured while another server's tool is called.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, listTools } from '../world/messages.ts'
import { startRecordingUpstream, type ToolDefinition } from '../world/servers/recording-upstream.ts'

const schemaOf = (inputSchema: Record<string, unknown>) => ({ description: 'Serves.', inputSchema })

/** Each definition refers twice to the next: 2^40 values when somebody replaces the references. */
function doubling(): Record<string, unknown> {
  const steps = Array.from({ length: 40 }, (_, at) => {
    const $ref = `#/$defs/d${at + 1}`
    return [`d${at}`, { allOf: [{ $ref }, { $ref }] }] as const
  })
  return { type: 'object', $defs: { ...Object.fromEntries(steps), d40: {} }, $ref: '#/$defs/d0' }
}

function nested(levels: number): Record<string, unknown> {
  return levels === 0 ? {} : { properties: { a: nested(levels - 1) } }
}

/** A row of references as long as a definition may be. */
function row(): Record<string, unknown> {
  const steps = Array.from({ length: 1_500 }, (_, at) => [`d${at}`, { $ref: `#/$defs/d${at + 1}` }] as const)
  return { $defs: Object.fromEntries(steps), $ref: '#/$defs/d0' }
}

const named = (name: string, definition: Record<string, unknown>): ToolDefinition => ({
  name,
  description: '',
  inputSchema: {},
  ...definition,
})
const many = (count: number, make: (at: number) => Record<string, unknown>) =>
  Array.from({ length: count }, (_, at) => named(`tool-${at}`, make(at)))

const hostile: readonly (readonly [what: string, tools: () => ToolDefinition[]])[] = [
  ['fold into 2^40 values', () => many(200, () => schemaOf(doubling()))],
  ['nest as deep as a message may', () => many(500, () => schemaOf(nested(28)))],
  ['refer to each other in long rows', () => many(100, () => schemaOf(row()))],
  ['are larger than is kept', () => many(60, (at) => ({ description: `${at}`.repeat(40_000) }))],
  ['are as many and as large as is read', () => many(1_000, (at) => ({ description: `${at} a b `.repeat(900) }))],
  ['have thousands of values each', () => many(100, () => schemaOf({ enum: Array.from({ length: 20_000 }, () => 1) }))],
  [
    'look alike, all of them',
    () =>
      many(1_000, () => ({})).map((tool, at) => ({
        ...tool,
        name: 'a_'.repeat(at % 60) + 'a'.repeat(1 + Math.floor(at / 60)),
      })),
  ],
  ['are made of unseen characters', () => many(100, () => ({ description: '\u{e0061}\u200d\ufe0f'.repeat(5_000) }))],
  ['have thousands of icons', () => many(50, () => ({ icons: Array.from({ length: 1_000 }, () => ({ src: 'x:y' })) }))],
]

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

for (const [what, tools] of hostile) {
  proves(
    ['PIN-5', 'UPS-1'],
    `definitions that ${what} cost a bounded time and memory, and others are served meanwhile`,
    async () => {
      const world = await startWorld()
      const mallory = await startRecordingUpstream()
      await world.ana.api('POST', '/upstreams', { name: 'mallory', url: mallory.url })
      const [token, ours] = [await world.ana.mint('mallory'), await world.ana.mint('books')]
      mallory.tools = tools()
      const heapBefore = heapBytes()
      const cpuBefore = process.cpuUsage()
      const delay = monitorEventLoopDelay({ resolution: 10 })
      delay.enable()

      const reviewed = world.ana.api('POST', '/upstreams/mallory/review', {})
      expect((await world.post({ token: ours, message: callTool('echo') })).body['result']).toBeDefined()
      expect([200, 502]).toContain((await reviewed).status)
      expect((await world.post({ token, message: listTools, upstream: 'mallory' })).body['error'] ?? {}).toBeDefined()
      await world.ana.api('POST', '/upstreams/mallory/tools/approve', { tools: 'all' })
      mallory.tools = mallory.tools.map((tool) => ({ ...tool, description: `Other. ${tool.description}` }))
      await world.post({ token, message: listTools, upstream: 'mallory' })
      expect((await world.ana.api('GET', '/upstreams/mallory/differences?all')).status).toBe(200)
      expect((await world.post({ token: ours, message: callTool('echo') })).body['result']).toBeDefined()

      delay.disable()
      const { user, system } = process.cpuUsage(cpuBefore)
      const cost = {
        cpuMs: Math.round((user + system) / 1_000),
        heldMs: Math.round(delay.max / 1e6),
        heapMb: Math.round((heapBytes() - heapBefore) / 1e6),
      }
      expect(cost.cpuMs).toBeLessThan(20_000)
      expect(cost.heldMs).toBeLessThan(5_000)
      expect(cost.heapMb).toBeLessThan(100)
      expect(mallory.calls('tools/call')).toEqual([])
    },
    60_000,
  )
}
