/**
 * Who signs in at a provider? Puts the room's federation together: what is managed, and what is answered below `/sso/`.
 * Stops: an answer for a provider that does not exist; a method that a step does not have.
 * Trusts: its parts. Fails closed in each of them; an unknown provider is 404, on record as any unknown page.
 * @see docs/decisions/0033-sign-in-at-identity-providers.md
 */
import { type Refusal, refuse } from '#kernel'
import type { Mount } from '../front/front.ts'
import type { BrowserSessions } from '../pages/browser-session.ts'
import type { Forms } from '../pages/form.ts'
import { sendProblem } from '../pages/problem-page.ts'
import { pageRefusals } from '../pages/refusals.ts'
import type { Parts } from '../parts.ts'
import { createAttempts } from './attempts.ts'
import { answerBackchannel } from './backchannel.ts'
import { answerCallback } from './callback.ts'
import { createProviderClients } from './client.ts'
import { answerLoggedOut, answerLogout } from './logout.ts'
import { answerProve } from './prove-there.ts'
import { type Providers, createProviders, findProvider } from './providers.ts'
import { federationRefusals } from './refusals.ts'
import { createSecondFactor } from './second-factor.ts'
import { answerStart } from './start.ts'
import type { FederationParts, Trip } from './trip.ts'

export interface Federation {
  readonly mount: Mount
  readonly providers: Providers & {
    /** Asks a provider for its metadata. @returns its endpoints; the refusal's detail says what is wrong */
    test(name: string): Promise<Readonly<Record<string, string>> | Refusal>
  }
  /** For the buttons of the sign-in page. */
  options(): Promise<readonly { name: string; title: string }[]>
  /** The provider that a session came from; undefined when it came from none, or from one that is gone. */
  providerOf(sessionId: string): Promise<{ readonly name: string; readonly title: string } | undefined>
}

const shape = /^\/sso\/([a-z][a-z0-9-]{0,30})\/([a-z-]{1,30})$/

interface Step {
  readonly methods: readonly string[]
  answer(trip: Trip): Promise<void> | void
}

function stepsOf(parts: FederationParts): ReadonlyMap<string, Step> {
  return new Map<string, Step>([
    ['start', { methods: ['GET'], answer: (trip) => answerStart(parts, trip) }],
    ['prove', { methods: ['GET'], answer: (trip) => answerProve(parts, trip) }],
    ['callback', { methods: ['GET'], answer: (trip) => answerCallback(parts, trip) }],
    ['second-factor', { methods: ['GET', 'POST'], answer: createSecondFactor(parts) }],
    ['logout', { methods: ['GET', 'POST'], answer: (trip) => answerLogout(parts, trip) }],
    ['logged-out', { methods: ['GET'], answer: answerLoggedOut }],
    ['backchannel-logout', { methods: ['POST'], answer: (trip) => answerBackchannel(parts, trip) }],
  ])
}

export function createFederation(
  ground: Parts & { readonly browser: BrowserSessions; readonly forms: Forms },
): Federation {
  const clients = createProviderClients(ground)
  const parts: FederationParts = { ...ground, clients, attempts: createAttempts(ground) }
  const providers = createProviders(parts)
  const steps = stepsOf(parts)
  const { query } = parts.database

  return {
    mount: {
      owns: (path) => path.startsWith('/sso/'),
      async answer(req, res, visit) {
        const [, name = '', word = ''] = shape.exec(visit.path) ?? []
        const step = steps.get(word)
        if (step === undefined) return sendProblem(res, refuse(pageRefusals.pageUnknown), { back: '/sign-in' })
        if (!step.methods.includes(req.method ?? '')) {
          const headers = { allow: step.methods.join(', '), connection: 'close' }
          return sendProblem(res, refuse(pageRefusals.methodNotAllowed), { back: '/sign-in', headers })
        }
        const provider = await findProvider(parts, query, name)
        if (provider === undefined)
          return sendProblem(res, refuse(federationRefusals.providerUnknown), { back: '/sign-in' })
        await step.answer({ req, res, visit, provider })
      },
    },
    providers: {
      ...providers,
      async test(name) {
        const provider = await findProvider(parts, query, name)
        return provider === undefined ? refuse(federationRefusals.providerUnknown) : clients.examine(provider)
      },
    },
    providerOf: (sessionId) =>
      query
        .selectFrom('provider_sessions')
        .innerJoin('providers', 'providers.name', 'provider_sessions.provider')
        .select(['providers.name', 'providers.title'])
        .where('session_id', '=', sessionId)
        .executeTakeFirst(),
    async options() {
      const rows = await query.selectFrom('providers').select(['name', 'title']).orderBy('name').execute()
      return rows
    },
  }
}
