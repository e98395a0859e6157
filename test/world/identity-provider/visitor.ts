/** A browser without pages: keeps cookies by host and port, sends forms, and follows redirects one at a time. */
export interface Visitor {
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Visited>
  post(url: string, fields: Readonly<Record<string, string>>): Promise<Visited>
  /** Goes on while it is led on, and as long as the address does not match. @returns where it stopped */
  follow(from: Visited, until?: RegExp): Promise<Visited>
  cookie(url: string, name: RegExp): string | undefined
}

export interface Visited {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where it leads, in full. */
  readonly location: string | undefined
  /** The hidden field of that name on the page. */
  hidden(name: string): string
}

const mostSteps = 15

/** @param browser headers of every request, such as `user-agent` */
export function createVisitor(browser: Readonly<Record<string, string>> = {}): Visitor {
  const jars = new Map<string, Map<string, string>>()
  const jarOf = (url: string): Map<string, string> => {
    const { host } = new URL(url)
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    return jar
  }

  async function ask(url: string, init: RequestInit & { headers: Record<string, string> }): Promise<Visited> {
    const jar = jarOf(url)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...browser, ...init.headers, ...(cookie === '' ? {} : { cookie }) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1)
      const [name = '', ...value] = pair.split('=')
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value.join('='))
    }
    const text = await response.text()
    const led = response.headers.get('location')
    return {
      url,
      status: response.status,
      headers: response.headers,
      text,
      location: led === null ? undefined : new URL(led, url).href,
      hidden: (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '',
    }
  }

  const visitor: Visitor = {
    get: (url, headers = {}) => ask(url, { headers }),
    post: (url, fields) =>
      ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(url).origin },
        body: new URLSearchParams(fields).toString(),
      }),
    async follow(from, until) {
      let at = from
      for (let step = 0; at.location !== undefined && step < mostSteps; step++) {
        if (until?.test(at.location) === true) return at
        at = await visitor.get(at.location)
      }
      return at
    },
    cookie: (url, name) => [...jarOf(url)].find(([key]) => name.test(key))?.[1],
  }
  return visitor
}

/** Logs in and agrees at a provider of this world, and stops before it leads back. */
export async function logInThere(
  visitor: Visitor,
  started: Visited,
  account: { readonly login: string; readonly password: string },
): Promise<Visited> {
  let at = await visitor.follow(started, /\/callback\?/)
  for (let form = 0; form < 3 && at.location === undefined; form++) {
    const fields = at.text.includes('name="account"') ? { account: account.login, password: account.password } : {}
    at = await visitor.follow(await visitor.post(at.url, { ...fields }), /\/callback\?/)
  }
  return at
}
