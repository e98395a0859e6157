import { startWorld, type World, type WorldOptions } from '../castellan.ts'
import { createPageClient, type PageClient } from '../pages/page-client.ts'
import type { Answer, Person } from '../people.ts'
import { pay } from './payments.ts'

type Json = Record<string, unknown>

/** A call of `echo` of `books` waits until one of the role `lead` has approved it. */
export const needsApproval = `
@id("payments")
@remedy("approval")
@approvers("lead")
@within("15m")
forbid (principal, action in Castellan::Action::"tools:call", resource)
when { resource.name == "echo" };
`

export interface Approvals {
  readonly world: World
  /** Asks. */
  readonly ben: Person
  readonly token: string
  /** Ben's browser, signed in. */
  readonly browser: PageClient
  /** May approve. */
  readonly lea: Person
}

/** Publishes one policy file; of a file of that name, the newer one counts. */
export async function publishPolicy(admin: Person, text: string): Promise<void> {
  const files = [{ path: 'policies/payments.cedar', text }]
  const draft = await admin.api('POST', '/policy/drafts', { files, note: 'test' })
  if (draft.status !== 201) throw new Error(JSON.stringify(draft.body))
  const { id, hash } = draft.body
  const published = await admin.api('POST', `/policy/drafts/${String(id)}/publish`, {
    hash,
    acceptWarnings: true,
    note: 'test',
  })
  if (published.status !== 200) throw new Error(JSON.stringify(published.body))
}

/** The roles: `clerk` calls everything of `books`, `lead` approves. */
export async function startApprovals(options: WorldOptions & { readonly policy?: string } = {}): Promise<Approvals> {
  const { policy = needsApproval, ...rest } = options
  const world = await startWorld(rest)
  const put = async (name: string, grants: Json[]) => {
    const answer = await world.ana.api('PUT', `/roles/${name}`, { grants })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  }
  await put('clerk', [
    { permissions: ['servers:use', 'tools:call', 'resources:read', 'prompts:get'], resources: ['books', 'books/*'] },
  ])
  await put('lead', [{ permissions: ['approvals:write'], resources: ['castellan'] }])
  await publishPolicy(world.ana, policy)
  const [ben, lea] = [await world.join('ben', ['clerk']), await world.join('lea', ['lead'])]
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(ben)
  return { world, ben, token: await ben.mint('books'), browser, lea }
}

/** What the refusal of a call says about what it waits for. */
export function remedyIn({ body }: Pick<Answer, 'body'>): { id: string; url?: string; missing: Json[] } {
  const { data } = (body['error'] ?? {}) as { data?: { remedy?: { id: string; url?: string; missing: Json[] } } }
  return data?.remedy ?? { id: '', missing: [] }
}

export function decide(approver: Person, id: string, deed: 'approve' | 'deny' = 'approve'): Promise<Answer> {
  return approver.api('POST', `/approvals/${id}/${deed}`, { reason: 'checked' })
}

/** One call of Ben's. */
export function call(world: World, token: string, message: Json = pay(10)): ReturnType<World['post']> {
  return world.post({ token, message })
}

/** The same, letter by letter. */
export async function callAsWritten(
  world: World,
  token: string,
  body: string,
): Promise<Pick<Answer, 'status' | 'body'>> {
  const accept = 'application/json, text/event-stream'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept }
  const answer = await fetch(`${world.gatewayUrl}/servers/books/mcp`, { method: 'POST', headers, body })
  return { status: answer.status, body: (await answer.json()) as Json }
}
