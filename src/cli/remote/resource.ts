import type { AdminApi } from './api.ts'
import { CliFailure } from '../failure.ts'

/**
 * The resource (RFC 8707) of one upstream: the URL a client calls and the only one its token works for.
 * @throws CliFailure `cli.bad-upstream-name`
 */
export async function resourceOf(api: AdminApi, upstream: string): Promise<string> {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(upstream)) {
    const hint = 'see `castellan upstream list`'
    throw new CliFailure('usage', 'cli.bad-upstream-name', `\`${upstream}\` is not the name of an upstream`, hint)
  }
  const { gatewayUrl } = await api.session.me()
  return new URL(`/servers/${upstream}/mcp`, gatewayUrl).href
}
