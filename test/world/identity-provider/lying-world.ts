import { type LedgerEntry, startWorld, type World } from '../castellan.ts'
import { addRequest, type LyingProvider, startLyingProvider } from './lying-provider.ts'
import { createVisitor, type Visited, type Visitor } from './visitor.ts'

/** A Castellan whose people sign in at a provider that says what a test wants. */
export interface LyingWorld {
  readonly world: World
  readonly provider: LyingProvider
  /** Lets people sign in at one more provider. */
  addProvider(name: string, settings?: Record<string, unknown>): Promise<LyingProvider>
  /** Begins a sign-in, as the button of the sign-in page does. */
  begin(visitor: Visitor, next?: string, name?: string): Promise<Visited>
  /** A whole sign-in. @returns the answer to the callback */
  signIn(visitor?: Visitor): Promise<Visited>
  /** Who is signed in in this browser, by the account page; undefined when nobody is. */
  who(visitor: Visitor): Promise<Visited | undefined>
  /** The last entry that says why somebody was not signed in. */
  lastRefused(): Promise<LedgerEntry | undefined>
}

/** @param settings of the provider `lies`, over those that let everybody in without roles */
export async function startLyingWorld(settings: Record<string, unknown> = {}): Promise<LyingWorld> {
  const world = await startWorld()
  async function addProvider(name: string, more: Record<string, unknown> = {}): Promise<LyingProvider> {
    const provider = await startLyingProvider()
    const { status, body } = await world.ana.api('POST', '/providers', addRequest(provider, name, more))
    if (status !== 201) throw new Error(`the provider was not added: ${JSON.stringify(body)}`)
    return provider
  }
  const provider = await addProvider('lies', settings)
  const begin: LyingWorld['begin'] = (visitor, next = '/account', name = 'lies') =>
    visitor.get(`${world.gatewayUrl}/sso/${name}/start?${new URLSearchParams({ next }).toString()}`)
  return {
    world,
    provider,
    addProvider,
    begin,
    async signIn(visitor = createVisitor()) {
      const started = await begin(visitor)
      return started.location === undefined ? started : visitor.get(provider.back(started.location))
    },
    async who(visitor) {
      const page = await visitor.get(`${world.gatewayUrl}/account`)
      return page.status === 200 ? page : undefined
    },
    async lastRefused() {
      return (await world.ledger('&event=sign-in.refused')).at(-1)
    },
  }
}
