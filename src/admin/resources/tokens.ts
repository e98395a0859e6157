import type { AccessTokenView } from '#identity'
import { isRefusal } from '#kernel'
import { z } from 'zod'
import { invalid } from '../read-fields.ts'
import { route } from '../route.ts'
import { flag, idParams, isoTime, isoTimeOrNull, listOf, moment, nameText } from '../shapes.ts'

const accessToken = z.object({
  id: z.string(),
  personId: z.string(),
  label: z.string(),
  resource: z.string(),
  factors: z.array(z.string()),
  createdAt: moment,
  expiresAt: moment,
  revokedAt: moment.nullable(),
})

function show(view: AccessTokenView): z.infer<typeof accessToken> {
  return {
    id: view.id,
    personId: view.personId,
    label: view.label,
    resource: view.resource,
    factors: [...view.factors],
    createdAt: isoTime(view.createdAt),
    expiresAt: isoTime(view.expiresAt),
    revokedAt: isoTimeOrNull(view.revokedAt),
  }
}

const list = route({
  method: 'GET',
  path: '/tokens',
  summary: 'your access tokens; with `all` those of everyone, which needs tokens:read',
  access: 'signed-in',
  query: z.strictObject({ all: flag }),
  answer: listOf(accessToken),
  async handle({ rooms, principal, query, allow }) {
    const refusal = query.all ? allow('tokens:read') : undefined
    if (refusal !== undefined) return refusal
    const views = await rooms.identity.tokens.list(query.all ? undefined : principal.id)
    return { items: views.map(show) }
  },
})

/** A token is for one address of this gateway, by its own resource URL (RFC 8707). */
export function isOwnResource(resource: string, gatewayUrl: string): boolean {
  if (!URL.canParse(resource)) return false
  const url = new URL(resource)
  const path = /^(?:\/(?:servers|bundles)\/[^/]+)?\/mcp\/?$/
  return url.origin === new URL(gatewayUrl).origin && path.test(url.pathname) && url.search === '' && url.hash === ''
}

const mint = route({
  method: 'POST',
  path: '/tokens',
  summary: 'a new access token of yours for one resource; the token itself is shown once',
  recordsOwnRefusals: true,
  access: 'signed-in',
  status: 201,
  body: z.strictObject({
    label: nameText,
    resource: z.string().max(500),
    ttlSeconds: z
      .number()
      .int()
      .min(1)
      .max(366 * 86_400),
  }),
  answer: z.object({ token: z.string(), view: accessToken }),
  async handle({ rooms, principal, body, address }) {
    const gatewayUrl = rooms.config.gateway.publicUrl
    if (!isOwnResource(body.resource, gatewayUrl))
      return invalid([
        {
          pointer: '#/body/resource',
          detail: `must be ${gatewayUrl}/servers/<upstream>/mcp, /bundles/<bundle>/mcp or /mcp there`,
        },
      ])
    const minted = await rooms.identity.tokens.mint({ principal, address, ...body })
    return isRefusal(minted) ? minted : { token: minted.token, view: show(minted.view) }
  },
})

const revoke = route({
  method: 'DELETE',
  path: '/tokens/:id',
  summary: 'revoke a token at once; one of another person needs tokens:write',
  access: 'signed-in',
  params: idParams,
  answer: accessToken,
  async handle({ rooms, principal, params, allow }) {
    // INVARIANT: to someone without tokens:write, another person's token and one that never was get the same answer.
    const ownerId = allow('tokens:write') === undefined ? undefined : principal.id
    const revoked = await rooms.identity.tokens.revoke(params.id, principal, ownerId)
    return isRefusal(revoked) ? revoked : show(revoked)
  },
})

export const tokenRoutes = [list, mint, revoke]
