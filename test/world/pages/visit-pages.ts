import { source as axeSource } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import type { Person } from '../people.ts'

export interface Window {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly hasScripts?: boolean
}

/** A window of a browser of its own, and what the browser complained about: broken policies and errors of scripts. */
export async function openWindow(browser: Browser, { theme = 'light', width = 1280, hasScripts = true }: Window = {}) {
  const viewport = { width, height: 860 }
  const context = await browser.newContext({ colorScheme: theme, viewport, javaScriptEnabled: hasScripts })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted|violat/i.test(message.text())) complaints.push(message.text())
  })
  return { page, complaints }
}

/** Rules of axe that the page breaks as it stands, with the elements; and whether it is wider than its window. */
export async function flaws(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const broken: unknown = await page.evaluate(
    'axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes[0].html))',
  )
  const isTooWide: unknown = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
  return [...(broken as string[]), ...(isTooWide === true ? ['wider than its window'] : [])]
}

/** Fills in the sign-in form that is shown and sends it. */
export async function signInOn(page: Page, person: Person): Promise<void> {
  await page.fill('#name', person.name)
  await page.fill('#password', person.password)
  await page.fill('#code', person.nextCode())
  await page.click('form[action="/sign-in"] button')
  await page.waitForURL((url) => url.pathname !== '/sign-in')
}
