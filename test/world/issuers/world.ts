import { atEnd } from '../../ending.ts'
import { reader, startWorld, type World, type WorldOptions } from '../castellan.ts'
import { issuerSettings, startIssuer, type TestIssuer, type TestIssuerOptions } from './issuer.ts'

/** A world whose gateway accepts the tokens of an issuer elsewhere; its group `staff` reads books. */
export interface IssuerWorld extends World {
  readonly issuer: TestIssuer
  /** The resource of `books`. */
  readonly resource: string
}

/** @param more keys of the entry in `identity.issuers` */
export async function startIssuerWorld(
  more: Record<string, unknown> = {},
  options: TestIssuerOptions & WorldOptions = {},
): Promise<IssuerWorld> {
  const clock = { now: (): number => Date.now() }
  const issuer = await startIssuer({ nowSeconds: () => Math.floor(clock.now() / 1_000), ...options })
  atEnd(() => issuer.close())
  const roles = { roles: { staff: [reader], chiefs: ['admin'] } }
  const issuers = JSON.stringify([issuerSettings(issuer.issuer, { ...roles, ...more })])
  const world = await startWorld({ ...options, env: { CASTELLAN_IDENTITY__ISSUERS: issuers, ...options.env } })
  clock.now = world.clock.now
  return { ...world, issuer, resource: `${world.gatewayUrl}/servers/books/mcp` }
}
