/**
 * Carries out what a person decides about a device that shows a code: once, and for this device only.
 * Stops: a second decision; a code that has expired; a code guessed from what it looks like (40 bits and ten minutes).
 * Trusts: the pages for who the person is and for counting guesses. Fails: closed: what does not open is no device.
 * @see RFC 8628, sections 3.3 and 5.1
 */
import { isRefusal } from '#kernel'
import type { Client, Provider } from 'oidc-provider'
import { approveTerminal, terminalLifeMs } from '../terminals/approve-terminal.ts'
import type { Clients } from '../oauth-clients/clients.ts'
import { askingClient, grantTo, scopesOf } from '../oauth/create-interactions.ts'
import type { Devices } from '../oauth/interactions.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { adminScope, mayHave, resourceOf } from '../oauth/resources.ts'
import { openArtifact, sealArtifact, userCodeHash } from '../oauth/artifacts.ts'
import { grantRefused } from '../oauth/events.ts'

const secondMs = 1_000

interface Needs {
  readonly parts: OauthParts
  readonly clients: Clients
  readonly provider: () => Promise<Provider>
}

function normalized(typed: string): string {
  return typed.replaceAll(/[^a-zA-Z0-9]/g, '').toUpperCase()
}

interface Waiting {
  readonly client: Client
  readonly scopes: readonly string[]
  readonly resource: string
  readonly isTerminal: boolean
  readonly askedAt: number
  readonly askedFrom: string
  readonly agent: string
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

async function waiting({ parts, clients, provider }: Needs, userCode: string): Promise<Waiting | undefined> {
  const made = await provider()
  const code = await made.DeviceCode.adapter.findByUserCode(normalized(userCode))
  if (!code || code.accountId !== undefined || code.error !== undefined) return undefined
  const client = await made.Client.find(code.clientId ?? '')
  const asked = textOf(code.params?.['resource'])
  const resource = resourceOf(parts.places, asked)
  if (!client || resource === undefined) return undefined
  const { clientId } = client
  const { registeredBy } = (await clients.find(clientId)) ?? {}
  if (!mayHave(resource.scope, { clientId, registeredBy, isForItself: false })) return undefined
  const { address, agent } = (code['deviceInfo'] ?? {}) as { readonly address?: unknown; readonly agent?: unknown }
  return {
    client,
    scopes: scopesOf(code.params?.['scope'], resource.scope),
    resource: asked,
    isTerminal: resource.scope === adminScope,
    askedAt: (code.iat ?? 0) * secondMs,
    askedFrom: textOf(address),
    agent: textOf(agent),
  }
}

/** Decides a device's request, if nobody has: of two decisions at the same moment one counts. */
async function decide({ parts }: Needs, userCode: string, decision: Record<string, unknown>): Promise<boolean> {
  const { database, sealer, clock } = parts
  return database.transaction(async (transaction) => {
    const row = await transaction
      .selectFrom('oauth_artifacts')
      .selectAll()
      .where('kind', '=', 'DeviceCode')
      .where('lookup_hash', '=', userCodeHash(normalized(userCode)))
      .where('ended_at', 'is', null)
      .where('consumed_at', 'is', null)
      .where('expires_at', '>', clock.now())
      .executeTakeFirst()
    const payload = row && openArtifact(sealer, row)
    if (!row || !payload || payload.accountId !== undefined || payload.error !== undefined) return false
    const decided = { ...payload, ...decision }
    await transaction
      .updateTable('oauth_artifacts')
      .set({
        sealed_payload: sealArtifact(sealer, row, decided),
        grant_id: decided.grantId ?? null,
        person_id: decided.accountId ?? null,
      })
      .where('kind', '=', 'DeviceCode')
      .where('id_hash', '=', row.id_hash)
      .execute()
    return true
  })
}

export function createDevices(needs: Needs): Devices {
  const { parts, clients, provider } = needs
  return {
    async find(userCode, principal) {
      const found = await waiting(needs, userCode)
      if (!found) return undefined
      const { client, isTerminal, ...rest } = found
      const life = isTerminal ? { lifeMs: terminalLifeMs(parts, principal) } : {}
      return { ...rest, ...life, userCode: normalized(userCode), client: await askingClient(clients, client) }
    },
    async approve(userCode, principal) {
      const found = await waiting(needs, userCode)
      if (!found) return false
      const { client, scopes, resource, isTerminal } = found
      const life = isTerminal ? await approveTerminal(parts, principal) : {}
      if (isRefusal(life)) return life
      const view = await grantTo(await provider(), parts, {
        person: principal,
        factors: principal.factors,
        factorsAt: principal.factorsAt,
        client: { id: client.clientId, name: client.clientName ?? client.clientId },
        resource,
        scopes,
        ...life,
        by: 'device',
      })
      const authTime = Math.floor(parts.clock.now() / 1_000)
      const scope = scopes.join(' ')
      const yes = { accountId: principal.id, grantId: view.id, scope, resource, authTime, amr: [...principal.factors] }
      return decide(needs, userCode, yes)
    },
    async deny(userCode, principal) {
      const found = await waiting(needs, userCode)
      const no = { error: 'access_denied', errorDescription: 'the person said no' }
      if (!found || !(await decide(needs, userCode, no))) return false
      const details = { client: found.client.clientId, resource: found.resource, by: 'device' }
      const { id, name } = principal
      await parts.ledger.append(grantRefused, { principal: { id, name }, outcome: 'refused', details })
      return true
    },
  }
}
