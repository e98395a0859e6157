import { pathOf } from '../people.ts'
import type { World } from '../castellan.ts'
import { modern } from '../messages.ts'

/** One thing to be done: a request to a server, or at another address. `$ALL` stands for all that was read so far. */
export interface Step {
  readonly at: string
  readonly method: string
  readonly params?: Record<string, unknown>
}

/** A client of the agent's: where it asks, and with which token for an address. */
export interface Mouth {
  readonly tokenFor: (address: string) => Promise<string>
  readonly gatewayUrl?: string
}

export interface Done {
  readonly step: Step
  readonly status: number
  readonly text: string
  /** The code of the refusal; empty where the request was answered. */
  readonly refused: string
}

/** It has no judgement at all: it does whatever anything that it reads tells it, with all that it has read. */
export interface ObedientAgent {
  /** Does one thing with the first of its clients, and then whatever the answer tells, with each of them. */
  run(step: Step): Promise<Done>
  readonly done: readonly Done[]
  /** All that it has read so far. */
  readonly memory: () => string
}

const marker = 'DO '

/** A text that makes the agent take these steps. */
export function telling(steps: readonly Step[]): string {
  return steps.map((step) => `${marker}${JSON.stringify(step)}`).join('\n')
}

/** Every text in an answer, with its line ends. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

function codeOf(status: number, body: Record<string, unknown>): string {
  const { data, code } = (body['error'] ?? {}) as { data?: { code?: string }; code?: unknown }
  if (body['error'] === undefined) return status >= 400 ? `status ${status}` : ''
  return data?.code ?? `code ${String(code)}`
}

const longestMs = 4_000

export function createObedientAgent(world: World, mouths: readonly Mouth[]): ObedientAgent {
  const done: Done[] = []
  const obeyed = new Set<string>()
  let memory = ''

  async function send({ tokenFor, gatewayUrl }: Mouth, step: Step): Promise<Done> {
    const written = JSON.stringify(step.params ?? {}).replaceAll('$ALL', () => JSON.stringify(memory).slice(1, -1))
    const coded = written.replaceAll('$BASE64', () => Buffer.from(memory).toString('base64'))
    const params = JSON.parse(coded) as Record<string, unknown>
    const message = { jsonrpc: '2.0', method: step.method, params }
    const isNotice = step.method.startsWith('notifications/')
    const sent = modern(isNotice ? message : { ...message, id: done.length })
    const at = gatewayUrl === undefined ? {} : { gatewayUrl }
    const signal = AbortSignal.timeout(longestMs)
    const token = await tokenFor(step.at)
    const answer = await world.post({ token, upstream: step.at, ...sent, ...at, signal }).catch(() => undefined)
    const { status = 0, body = {} } = answer ?? {}
    const one = { step, status, text: textsIn(body['result']).join('\n'), refused: codeOf(status, body) }
    done.push(one)
    memory += `${one.text}\n`
    return one
  }

  async function obey(text: string): Promise<void> {
    for (const line of text.split('\n').filter((each) => each.startsWith(marker))) {
      if (obeyed.has(line)) continue
      obeyed.add(line)
      const step = JSON.parse(line.slice(marker.length)) as Step
      for (const mouth of mouths) await obey((await send(mouth, step)).text)
    }
  }

  return {
    async run(step) {
      const [first] = mouths
      if (first === undefined) throw new Error('an agent without a client')
      const one = await send(first, step)
      await obey(one.text)
      return one
    },
    done,
    memory: () => memory,
  }
}

/** A client that shows a personal token of its own at each address. */
export function withTokens(mint: (address: string) => Promise<string>, gatewayUrl?: string): Mouth {
  const kept = new Map<string, Promise<string>>()
  const tokenFor = (address: string): Promise<string> => {
    const token = kept.get(pathOf(address)) ?? mint(address)
    kept.set(pathOf(address), token)
    return token
  }
  return gatewayUrl === undefined ? { tokenFor } : { tokenFor, gatewayUrl }
}
