/** Where things are revoked: two nodes on one database, a server behind them, and an issuer elsewhere that people come from. */
import { fileURLToPath } from 'node:url'
import { openStage, type Stage } from '../once/stage.ts'
import { type Nodes, startNodes } from '../once/nodes.ts'
import { type Answer, callAdmin } from '../../test/world/people.ts'
import { type TestIssuer, issuerSettings, startIssuer } from '../../test/world/issuers/issuer.ts'
import { createKey } from '../../test/world/issuers/signing.ts'
import { startProgram } from '../../test/world/program.ts'
import { type CallerPlan, type Group, preciseNow, type StreamKind } from './load-contract.ts'
import { type Load, startLoad } from './load.ts'

const upstreamProgram = fileURLToPath(new URL('upstream-program.ts', import.meta.url))
/** Of the server that all but a removed one are at. */
export const server = 'ticker'
const ownStreams: readonly StreamKind[] = ['session', 'call', 'subscription', 'old-wire']
const jointStreams: readonly StreamKind[] = ['joint-session', 'joint-subscription']

export interface Scene {
  readonly nodes: Nodes
  readonly stage: Stage
  readonly load: Load
  readonly issuer: TestIssuer
  /** Of the server program, for servers of other names. */
  readonly upstreamUrl: string
  /** The resource of a server, or of `/mcp`. */
  resource(name: string): string
  /** Calls the admin API of the first node as the administrator. @throws for an error */
  admin(method: string, path: string, body?: unknown): Promise<Answer['body']>
  /** Streams of every kind at both nodes, and a caller at each. */
  group(name: string, tokens: GroupTokens): Group
  end(): Promise<void>
}

export interface GroupTokens {
  /** For the server. */
  readonly own: string
  /** For `/mcp`. */
  readonly joint?: string | undefined
  readonly server?: string
}

/** When the admin API was asked, and when it had answered. */
export interface Asked {
  readonly askedAt: number
  readonly answeredAt: number
}

/** @throws unless what was asked succeeded */
export async function timed(ask: () => Promise<{ readonly status: number }>): Promise<Asked> {
  const askedAt = preciseNow()
  const answer = await ask()
  const answeredAt = preciseNow()
  if (answer.status >= 400) throw new Error(`not revoked: ${JSON.stringify(answer)}`)
  return { askedAt, answeredAt }
}

/** @param keys of the issuer elsewhere, one for each that will be withdrawn */
export async function setScene(keys: number, more: NodeJS.ProcessEnv): Promise<Scene> {
  const ended: (() => unknown)[] = []
  const end = async (): Promise<void> => {
    for (const one of ended.toReversed()) await one()
  }
  try {
    const upstream = startProgram(process.execPath, [upstreamProgram])
    ended.push(() => upstream.stop())
    const [, port] = await upstream.waitFor(/listening on (\d+)/)
    const upstreamUrl = `http://127.0.0.1:${port}/mcp`
    const issuer = await startIssuer({ keys: Array.from({ length: keys }, (_, at) => createKey('ES256', `k-${at}`)) })
    ended.push(() => issuer.close())
    const nodes = await startNodes({
      CASTELLAN_IDENTITY__ISSUERS: JSON.stringify([issuerSettings(issuer.issuer, { roles: { staff: ['admin'] } })]),
      CASTELLAN_LIMITS__CONNECTIONS_PER_ADDRESS: '4000',
      CASTELLAN_LIMITS__OPEN_STREAMS_PER_PRINCIPAL: '2000',
      CASTELLAN_LIMITS__OPEN_STREAMS: '4000',
      CASTELLAN_IDENTITY__SESSION_IDLE_MINUTES: '1440',
      ...more,
    })
    ended.push(() => nodes.end())
    const stage = await openStage(nodes)
    ended.push(() => stage.close())
    const load = startLoad()
    ended.push(() => load.end())
    await nodes.first.addUpstream(server, upstreamUrl)
    return { ...scenery({ nodes, stage, load, issuer, upstreamUrl }), end }
  } catch (error) {
    await end()
    throw error
  }
}

function scenery(parts: Pick<Scene, 'nodes' | 'stage' | 'load' | 'issuer' | 'upstreamUrl'>): Omit<Scene, 'end'> {
  const { first, gateways } = parts.nodes
  const host = new URL(first.gatewayUrl).host
  return {
    ...parts,
    resource: (name) => `${first.gatewayUrl}${name.startsWith('/') ? name : `/servers/${name}/mcp`}`,
    async admin(method, path, body) {
      const answer = await callAdmin(first.adminUrl, { method, path, body, token: first.ana.sessionToken() })
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    group(name, { own, joint, server: at = server }) {
      const callers: CallerPlan[] = gateways.map((origin) => ({ origin, server: at, token: own }))
      const streams = gateways.flatMap((origin) => [
        ...ownStreams.map((kind) => ({ kind, origin, server: at, token: own })),
        ...(joint === undefined ? [] : jointStreams.map((kind) => ({ kind, origin, server: at, token: joint }))),
      ])
      return { group: name, host, streams, callers }
    },
  }
}
