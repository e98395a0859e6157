/** What the races are run on: two nodes, their people, and the database that is set back where time would have to pass. */
import { openDatabase, type Database } from '#platform/database'
import { oneTimeCode } from '../../test/world/one-time-code.ts'
import { type PageClient, createPageClient } from '../../test/world/pages/page-client.ts'
import type { Person } from '../../test/world/people.ts'
import { createVisitor, type Visitor } from '../../test/world/oauth/visitor.ts'
import type { Answered, Nodes } from './nodes.ts'

export interface Stage {
  readonly nodes: Nodes
  readonly gatewayUrl: string
  readonly database: Database
  /** Forgets what the throttle of sign-in counted: its waits are proved elsewhere, and would hide who won. */
  clearThrottle(): Promise<void>
  /** A code of their authenticator that counts: what time would bring in thirty seconds. */
  freshCode(person: Person): Promise<string>
  /** Makes their recovery codes unused again. */
  renewRecoveryCodes(person: Person): Promise<void>
  /** Invites and enrols somebody. */
  join(name: string, roles?: readonly string[]): Promise<Person>
  /** A browser in which this person is signed in. */
  browserOf(person: Person): Promise<PageClient>
  /** A browser for requests for authorization, in which this person is signed in after the first. */
  visitorOf(person: Person): Promise<{ visitor: Visitor; person: Person }>
  close(): Promise<void>
}

/** Whether an answer begins a session. */
export function hasSession({ setCookies }: Answered): boolean {
  return setCookies.some((cookie) => cookie.includes('=css_'))
}

/** What a browser sends along with a form. */
export function headersOf(browser: PageClient, gatewayUrl: string): Record<string, string> {
  return { cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '), origin: gatewayUrl }
}

export async function openStage(nodes: Nodes): Promise<Stage> {
  const { first, databaseUrl } = nodes
  const { gatewayUrl } = first
  const database = await openDatabase({ url: databaseUrl })
  const { query } = database
  const idOf = (name: string) => query.selectFrom('people').select('id').where('name', '=', name)

  async function freshCode({ name, secret }: Person): Promise<string> {
    await query.updateTable('second_factors').set({ last_step: null }).where('person_id', 'in', idOf(name)).execute()
    return oneTimeCode(secret, Date.now())
  }

  /** The same person with a code that counts, whatever was used before. */
  async function withCode(person: Person): Promise<Person> {
    const code = await freshCode(person)
    return { ...person, nextCode: () => code }
  }

  return {
    nodes,
    gatewayUrl,
    database,
    clearThrottle: async () =>
      void (await query.deleteFrom('throttles').where('key', 'not like', 'familiar:%').execute()),
    freshCode,
    async renewRecoveryCodes({ name }) {
      await query.updateTable('recovery_codes').set({ used_at: null }).where('person_id', 'in', idOf(name)).execute()
    },
    join: (name, roles = []) => first.join(name, roles),
    async browserOf(person) {
      const browser = createPageClient(gatewayUrl)
      const { status, headers } = await browser.signIn(await withCode(person))
      if (headers.location === undefined) throw new Error(`${person.name} was not signed in: ${status}`)
      return browser
    },
    visitorOf: async (person) => ({ visitor: createVisitor(gatewayUrl), person: await withCode(person) }),
    close: () => database.close(),
  }
}
