import type { Person } from '../people.ts'

/** What a visitor is looking at. */
export interface Seen {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly text: string
}

/** Somebody with a browser that knows cookies, redirects and forms, and no JavaScript. */
export interface Visitor {
  /** Follows redirects for as long as they stay at this Castellan; where they leave it, says where to. */
  open(address: string): Promise<Seen & { readonly leftTo?: string }>
  /** Fills in the form of a page that has this button, and sends it. */
  submit(page: Seen, fields: Record<string, string>): Promise<Seen & { readonly leftTo?: string }>
  /** Opens an address, signs in where asked, and says yes or no. @returns where the client gets its answer */
  decide(address: string, person: Person, answer?: 'allow' | 'deny'): Promise<URL>
  /** What this browser sends along to an address, for requests that something else makes in its place. */
  cookiesFor(address: string): string
}

function hiddenFields(text: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [input] of text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1]
    const value = /value="([^"]*)"/.exec(input)?.[1] ?? ''
    if (name !== undefined)
      fields[name] = value.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
  }
  return fields
}

/** The form of a page: the last one that posts, or the one whose text holds `having`. */
function formOf(text: string, having: string): string {
  const forms = [...text.matchAll(/<form[^>]*method="post"[\s\S]*?<\/form>/g)].map(([form]) => form)
  const form = forms.find((one) => one.includes(having)) ?? forms.at(-1)
  if (form === undefined) throw new Error(`no form with ${having} in: ${text.slice(0, 2_000)}`)
  return form
}

function createJar() {
  const jar = new Map<string, { value: string; path: string }>()
  return {
    keep(headers: Headers): void {
      for (const cookie of headers.getSetCookie()) {
        const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim())
        const at = pair.indexOf('=')
        const path = attributes.find((one) => one.toLowerCase().startsWith('path='))?.slice(5) ?? '/'
        const isGone = attributes.some((one) => /^(?:max-age=0|expires=thu, 01 jan 1970)/i.test(one))
        const key = `${pair.slice(0, at)} ${path}`
        if (isGone || pair.slice(at + 1) === '') jar.delete(key)
        else jar.set(key, { value: pair.slice(at + 1), path })
      }
    },
    cookiesFor(address: string): string {
      const { pathname } = new URL(address)
      return [...jar]
        .filter(([, { path }]) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
        .map(([key, { value }]) => `${key.split(' ', 1)[0]}=${value}`)
        .join('; ')
    },
  }
}

/** A new browser without cookies. */
export function createVisitor(gatewayUrl: string): Visitor {
  const jar = createJar()

  async function request(address: string, form?: URLSearchParams): Promise<Seen & { leftTo?: string }> {
    const response = await fetch(address, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: {
        accept: 'text/html,application/xhtml+xml',
        cookie: jar.cookiesFor(address),
        ...(form === undefined ? {} : { origin: gatewayUrl }),
      },
      ...(form === undefined ? {} : { body: form }),
    })
    jar.keep(response.headers)
    const location = response.headers.get('location')
    const text = await response.text()
    const seen = { status: response.status, url: address, headers: response.headers, text }
    if (location === null || response.status < 300 || response.status > 399) return seen
    const next = new URL(location, address).href
    return next.startsWith(`${gatewayUrl}/`) ? request(next) : { ...seen, leftTo: next }
  }

  async function submit(page: Seen, fields: Record<string, string>): Promise<Seen & { leftTo?: string }> {
    const [having = ''] = Object.keys(fields)
    const form = formOf(page.text, `name="${having}"`)
    const action = /action="([^"]*)"/.exec(form)?.[1] ?? page.url
    const target = new URL(action.replaceAll('&amp;', '&'), page.url).href
    return request(target, new URLSearchParams({ ...hiddenFields(form), ...fields }))
  }

  return {
    open: (address) => request(address),
    submit,
    cookiesFor: jar.cookiesFor,
    async decide(address, person, answer = 'allow') {
      let page = await request(address)
      if (new URL(page.url).pathname === '/sign-in') {
        page = await submit(page, { name: person.name, password: person.password, code: person.nextCode() })
      }
      if (page.leftTo === undefined) page = await submit(page, { answer })
      if (page.leftTo === undefined)
        throw new Error(`not sent back: ${page.status} ${page.url} ${page.text.slice(0, 3_000)}`)
      return new URL(page.leftTo)
    },
  }
}
