import type { AdminApi } from './api.ts'
import { CliFailure } from '../failure.ts'

/** What a client is to reach: one upstream, one bundle of them, or all that its person may use. */
export type Reached = { readonly upstream: string } | { readonly bundle: string } | 'all'

interface ReachOptions {
  readonly upstream?: string
  readonly bundle?: string
  readonly all?: boolean
  readonly admin?: boolean
}

/**
 * What the options of a command say that a token is to reach.
 * @throws CliFailure `cli.token-reach`
 */
export function readReached(options: ReachOptions & { readonly admin?: never }): Reached
export function readReached(options: ReachOptions): Reached | 'admin'
export function readReached({ upstream, bundle, all, admin }: ReachOptions): Reached | 'admin' {
  const given: (Reached | 'admin')[] = [
    ...(upstream === undefined ? [] : [{ upstream }]),
    ...(bundle === undefined ? [] : [{ bundle }]),
    ...(all === true ? ['all' as const] : []),
    ...(admin === true ? ['admin' as const] : []),
  ]
  const [only, ...others] = given
  if (only !== undefined && others.length === 0) return only
  const hint = 'pass one of --upstream <name>, --bundle <name>, --all'
  throw new CliFailure('usage', 'cli.token-reach', 'a token works at exactly one address', hint)
}

function checked(name: string, kind: 'upstream' | 'bundle'): string {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return name
  const article = kind === 'upstream' ? 'an' : 'a'
  const hint = `see \`castellan ${kind} list\``
  throw new CliFailure('usage', `cli.bad-${kind}-name`, `\`${name}\` is not the name of ${article} ${kind}`, hint)
}

/**
 * Refuses a name that nothing has. WHY: only who may read the list can be told; for anybody else what is not there and what
 * is not theirs are one, and the token shows it.
 */
async function refuseMissing(api: AdminApi, reached: Reached): Promise<void> {
  if (reached === 'all') return
  const [kind, name] =
    'bundle' in reached ? (['bundle', reached.bundle] as const) : (['upstream', reached.upstream] as const)
  const there = await api[`${kind}s`].list().catch((error: unknown) => {
    if (error instanceof CliFailure && error.reason === 'denied') return undefined
    throw error
  })
  if (there === undefined || there.some((one) => one.name === name)) return
  const hint = `see \`castellan ${kind} list\``
  throw new CliFailure('notFound', `cli.no-such-${kind}`, `there is no ${kind} \`${name}\``, hint)
}

function pathOf(reached: Reached): string {
  if (reached === 'all') return '/mcp'
  if ('bundle' in reached) return `/bundles/${checked(reached.bundle, 'bundle')}/mcp`
  return `/servers/${checked(reached.upstream, 'upstream')}/mcp`
}

/**
 * The resource (RFC 8707): the URL a client calls and the only one its token works for.
 * @throws CliFailure `cli.bad-upstream-name`, `cli.bad-bundle-name`, `cli.no-such-upstream`, `cli.no-such-bundle`
 */
export async function resourceFor(api: AdminApi, reached: Reached): Promise<string> {
  const path = pathOf(reached)
  await refuseMissing(api, reached)
  const { gatewayUrl } = await api.session.me()
  return new URL(path, gatewayUrl).href
}

/** The resource of one upstream. @throws CliFailure `cli.bad-upstream-name`, `cli.no-such-upstream` */
export function resourceOf(api: AdminApi, upstream: string): Promise<string> {
  return resourceFor(api, { upstream })
}
