/** The scene of the proofs with many clients: a gateway as an operator starts it, three servers behind it, and people. */
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { type Program, runProgram, startProgram } from '../../test/world/program.ts'
import { runCastellan, type RunningCastellan } from '../../test/world/running-castellan.ts'
import type { Person } from '../../test/world/people.ts'
import { createRandom, type Random } from '../fuzz/random.ts'
import { Client } from './client.ts'
import { createFindings, type Findings } from './findings.ts'
import { lanes, type Lane } from './lanes.ts'

const upstreamProgram = fileURLToPath(new URL('upstream-program.ts', import.meta.url))
const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
/** WHY: who listens asks at the same time. */
const perClient = 2
const forOperator = 16

export interface Scene {
  readonly castellan: RunningCastellan
  readonly findings: Findings
  readonly random: Random
  /** A new client, on the lane and of the person that its number falls on; without a session. */
  client(number: number): Promise<Client>
  /** Stops the gateway in good order. @returns whether it did, and its ledger verifies */
  stop(): Promise<boolean>
}

export interface SceneOptions {
  readonly people: number
  /** Of clients at one time. */
  readonly connections: number
  readonly seed: number
  readonly env?: NodeJS.ProcessEnv
}

async function mint(person: Person, resource: string): Promise<string> {
  const { body } = await person.api('POST', '/tokens', { label: 'load', resource, ttlSeconds: 86_400 })
  if (typeof body['token'] !== 'string') throw new Error(`no token: ${JSON.stringify(body)}`)
  return body['token']
}

async function stopAndVerify({ program, env }: RunningCastellan): Promise<boolean> {
  const ended = await program.stop()
  const { code, output } = await runProgram(process.execPath, [launcher, 'audit', 'verify', '--json'], { env })
  if (ended !== 0) console.log(`the gateway ended with ${ended}`)
  if (code !== 0) console.log(output)
  return ended === 0 && code === 0
}

async function openScene(castellan: RunningCastellan, { people, connections, seed }: SceneOptions) {
  const everybody = [castellan.ana]
  while (everybody.length < people) everybody.push(await castellan.join(`caller-${everybody.length}`, ['admin']))
  const tokens = new Map<string, Promise<string>>()
  const pool = new Pool(castellan.gatewayUrl, { connections: perClient * connections, pipelining: 1 })
  const findings = createFindings()
  const random = createRandom(seed)
  const scene: Scene = {
    castellan,
    findings,
    random,
    async client(number) {
      const person = number % people
      // WHY: all clients of one person are spread over all lanes, and each lane has clients of all people.
      const lane = lanes[Math.floor(number / people) % lanes.length] as Lane
      const key = `${person} ${lane.path}`
      const minting = tokens.get(key) ?? mint(everybody[person] as Person, `${castellan.gatewayUrl}${lane.path}`)
      tokens.set(key, minting)
      return new Client({ pool, lane, token: await minting, person, number, findings, random })
    },
    async stop() {
      await pool.destroy()
      return stopAndVerify(castellan)
    },
  }
  return scene
}

/** Runs the work in a scene, and ends every process of it. */
export async function withScene<T>(options: SceneOptions, work: (scene: Scene) => Promise<T>): Promise<T> {
  const started: Program[] = []
  const start = async (kind: string): Promise<string> => {
    const program = startProgram(process.execPath, [upstreamProgram, kind])
    started.push(program)
    const [, port] = await program.waitFor(/listening on (\d+)/)
    return `http://127.0.0.1:${port}/mcp`
  }
  try {
    const [legacy, modern] = [await start('legacy'), await start('modern')]
    // WHY: to the gateway, all clients of the scene and its operator have one address.
    const CASTELLAN_LIMITS__CONNECTIONS_PER_ADDRESS = String(perClient * options.connections + forOperator)
    const castellan = await runCastellan({ CASTELLAN_LIMITS__CONNECTIONS_PER_ADDRESS, ...options.env })
    try {
      await castellan.addUpstream('legacy', legacy)
      await castellan.addUpstream('modern', modern)
      await castellan.addUpstream('stdio', [process.execPath, upstreamProgram, 'stdio'])
      return await work(await openScene(castellan, options))
    } finally {
      await castellan.end()
    }
  } finally {
    for (const program of started) await program.stop()
  }
}
