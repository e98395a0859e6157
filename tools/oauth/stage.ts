/** Where the clients do what they do: Castellan as its own process, one server behind it, and a person with a real browser. */
import type { Browser, BrowserContext } from 'playwright-core'
import { withBrowser } from '../../test/world/browser.ts'
import type { Person } from '../../test/world/people.ts'
import { runCastellan, type RunningCastellan } from '../../test/world/running-castellan.ts'
import { type Documents, startDocuments } from './documents.ts'
import { startUpstream } from '../../bench/subjects.ts'
import { type AssertingProvider, startAssertingProvider } from '../../test/world/oauth/asserting-provider.ts'

export interface Stage {
  readonly castellan: RunningCastellan
  /** The address of the MCP server, which is the resource of its tokens. */
  readonly url: URL
  readonly ben: Person
  /** Vouches for people to clients. */
  readonly provider: AssertingProvider
  /** Describes clients that are known by their metadata documents. */
  readonly documents: Documents
  /** Opens an address in the browser, signs ben in where asked, and says yes. @returns where the client gets its answer */
  consent(address: string): Promise<URL>
  /** Types the code of a device and says yes. */
  approveDevice(userCode: string): Promise<void>
}

const patienceMs = 20_000

async function signIn(context: BrowserContext, gatewayUrl: string, person: Person): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${gatewayUrl}/sign-in?next=/account`)
  await page.fill('#name', person.name)
  await page.fill('#password', person.password)
  await page.fill('#code', person.nextCode())
  await page.click('form[action="/sign-in"] button')
  await page.waitForURL(`${gatewayUrl}/account`, { timeout: patienceMs })
  await page.close()
}

/** The browser of a signed-in person, as far as clients need it. */
function hands(context: BrowserContext, gatewayUrl: string): Pick<Stage, 'consent' | 'approveDevice'> {
  return {
    async consent(address) {
      const page = await context.newPage()
      const leaves = page.waitForRequest((request) => !request.url().startsWith(`${gatewayUrl}/`), {
        timeout: patienceMs,
      })
      // WHY: a page that is awaited until the end is told of when it is left, too.
      leaves.catch(() => undefined)
      await page.goto(address)
      await page.click('button[value="allow"]', { noWaitAfter: true })
      const request = await leaves
      await page.waitForTimeout(300)
      await page.close()
      return new URL(request.url())
    },
    async approveDevice(userCode) {
      const page = await context.newPage()
      await page.goto(`${gatewayUrl}/device`)
      await page.fill('#user-code', userCode)
      await page.click('form[action="/device"] button')
      await page.click('button[value="allow"]')
      await page.waitForSelector('h1:has-text("Connected")', { timeout: patienceMs })
      await page.close()
    },
  }
}

async function withPeople<T>(browser: Browser, work: (stage: Stage) => Promise<T>): Promise<T> {
  const [upstream, provider, documents] = await Promise.all([
    startUpstream(),
    startAssertingProvider(),
    startDocuments(),
  ])
  const castellan = await runCastellan({ CASTELLAN_OAUTH__ASSERTION_ISSUERS: provider.issuer, ...documents.env })
  try {
    await castellan.addUpstream('desk', upstream.url)
    const ben = await castellan.join('ben', ['admin'])
    const context = await browser.newContext()
    await signIn(context, castellan.gatewayUrl, ben)
    const url = new URL(`${castellan.gatewayUrl}/servers/desk/mcp`)
    return await work({ castellan, url, ben, provider, documents, ...hands(context, castellan.gatewayUrl) })
  } finally {
    await castellan.end()
    provider.close()
    documents.close()
    await upstream.end()
  }
}

/** Sets the stage, does the work, and clears up. */
export function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  return withBrowser((browser) => withPeople(browser, work))
}
