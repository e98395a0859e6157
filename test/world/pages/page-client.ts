import type { IncomingHttpHeaders } from 'node:http'
import { send } from '../edge/send.ts'
import type { Person } from '../people.ts'

export interface PageAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Sent {
  readonly method?: string
  readonly fields?: Record<string, string>
  /** Sent as it is instead of fields. */
  readonly body?: string
  readonly headers?: Record<string, string | undefined>
}

/** A browser as an attacker or tester drives it: keeps cookies, follows nothing, sends what it is told. */
export interface PageClient {
  readonly cookies: Map<string, string>
  request(path: string, sent?: Sent): Promise<PageAnswer>
  /** The token of the form that a page sends to a path; empty when there is none. */
  tokenOf(page: string, action: string): Promise<string>
  /** Opens a page, and sends its form with these fields. */
  submit(page: string, fields: Record<string, string>, action?: string): Promise<PageAnswer>
  signIn(person: Person, next?: string): Promise<PageAnswer>
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

function hiddenOf(form: string): Record<string, string> {
  const hidden = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    unescaped(/value="([^"]*)"/.exec(input)?.[1] ?? ''),
  ])
  return Object.fromEntries(hidden) as Record<string, string>
}

/** What a page sends along with its form to a path: the token and whatever else is hidden. */
export function hiddenFields(html: string, action: string): Record<string, string> {
  const forms = [...html.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => form)
  return hiddenOf(forms.find((form) => form.includes(`action="${action}"`)) ?? '')
}

/** A new browser at this gateway, without cookies. */
export function createPageClient(gatewayUrl: string): PageClient {
  const cookies = new Map<string, string>()

  async function request(path: string, { method, fields, body, headers = {} }: Sent = {}): Promise<PageAnswer> {
    const text = body ?? (fields === undefined ? undefined : new URLSearchParams(fields).toString())
    const jar = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await send(gatewayUrl, {
      method: method ?? (text === undefined ? 'GET' : 'POST'),
      path,
      headers: {
        ...(jar !== '' && { cookie: jar }),
        ...(text !== undefined && {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(text)),
          origin: gatewayUrl,
        }),
        ...headers,
      },
      ...(text !== undefined && { body: text }),
    })
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  async function submit(page: string, fields: Record<string, string>, action = page.split('?', 1)[0] ?? '') {
    const { text } = await request(page)
    return request(action, { fields: { ...hiddenFields(text, action), ...fields } })
  }

  return {
    cookies,
    request,
    submit,
    tokenOf: async (page, action) => hiddenFields((await request(page)).text, action)['form'] ?? '',
    signIn({ name, password, nextCode }, next) {
      const page = next === undefined ? '/sign-in' : `/sign-in?${new URLSearchParams({ next }).toString()}`
      return submit(page, { name, password, code: nextCode() })
    },
  }
}
