import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import { remedyRefusals, type WaitingCall, type WaitingLine } from '#policy'
import { z } from 'zod'
import { route } from '../route.ts'
import type { Rooms } from '../rooms.ts'
import { idParams, isoTime, listOf, moment } from '../shapes.ts'

const line = z.object({
  id: z.string(),
  person: z.string(),
  client: z.string(),
  upstream: z.string(),
  kind: z.string(),
  name: z.string(),
  state: z.enum(['waiting', 'ready', 'used', 'denied', 'expired', 'void']),
  createdAt: moment,
  expiresAt: moment,
})

const whole = line.extend({
  personId: z.string(),
  permission: z.string(),
  /** The whole call as JSON: what is approved is this and nothing else. */
  call: z.string(),
  callHash: z.string(),
  snapshot: z.number(),
  rules: z.array(
    z.object({
      rule: z.string(),
      kind: z.string(),
      roles: z.array(z.string()),
      count: z.number(),
      text: z.string().nullable(),
    }),
  ),
  missing: z.array(z.object({ rule: z.string(), kind: z.string(), count: z.number() })),
  said: z.array(
    z.object({ name: z.string(), deed: z.enum(['approved', 'denied', 'justified']), text: z.string(), at: moment }),
  ),
})

const answered = z.object({ id: z.string(), state: line.shape.state, missing: z.number() })

function showLine({ personName, clientName, createdAt, expiresAt, ...rest }: WaitingLine): z.infer<typeof line> {
  const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) }
  return { ...rest, ...times, person: personName, client: clientName }
}

function showWhole(call: WaitingCall): z.infer<typeof whole> {
  const { personId, permission, text, callHash, snapshot, rules, missing, said } = call
  return {
    ...showLine(call),
    personId,
    permission,
    call: text,
    callHash,
    snapshot,
    rules: rules.map(({ rule, kind, approvers, text: about = null }) => ({
      rule,
      kind,
      roles: [...(approvers?.roles ?? [])],
      count: approvers?.count ?? 1,
      text: about,
    })),
    missing: missing.map((one) => ({ ...one })),
    said: said.map(({ name, deed, text: words, at }) => ({ name, deed, text: words, at: isoTime(at) })),
  }
}

const list = route({
  method: 'GET',
  path: '/approvals',
  summary: 'calls that wait for your approval, at most 50; nobody can bury the calls of others',
  access: 'approvals:write',
  answer: listOf(line),
  handle: async ({ rooms, principal }) => ({ items: (await rooms.remedies.approvals.list(principal)).map(showLine) }),
})

const show = route({
  method: 'GET',
  path: '/approvals/:id',
  summary: 'a call that waits for your approval, completely',
  access: 'approvals:write',
  params: idParams,
  answer: whole,
  async handle({ rooms, principal, params }) {
    const call = await rooms.remedies.approvals.show(params.id, principal)
    return call === undefined ? refuse(remedyRefusals.approvalUnknown) : showWhole(call)
  },
})

interface Answering {
  readonly rooms: Rooms
  readonly principal: Principal
  readonly params: { readonly id: string }
  readonly body: { readonly reason: string }
  readonly address: string
}

async function answer(
  { rooms, principal, params, body, address }: Answering,
  deed: 'approve' | 'deny',
): Promise<z.infer<typeof answered> | Refusal> {
  const given = await rooms.remedies.approvals[deed](params.id, { principal, said: body.reason, address })
  if (isRefusal(given)) return given
  const { personId, ...told } = given
  const kind = deed === 'deny' ? 'approval-denied' : 'approval-given'
  if (given.state !== 'waiting') await rooms.identity.notices.tell([personId], kind, { name: principal.name })
  return told
}

const body = z.strictObject({ reason: z.string().min(1).max(2_000) })

const approve = route({
  method: 'POST',
  path: '/approvals/:id/approve',
  summary: 'let a call pass once; you count once',
  access: 'approvals:write',
  params: idParams,
  body,
  answer: answered,
  handle: (call) => answer(call, 'approve'),
})

const deny = route({
  method: 'POST',
  path: '/approvals/:id/deny',
  summary: 'deny a call that waits; one denial is enough',
  access: 'approvals:write',
  params: idParams,
  body,
  answer: answered,
  handle: (call) => answer(call, 'deny'),
})

export const approvalRoutes = [list, show, approve, deny]
