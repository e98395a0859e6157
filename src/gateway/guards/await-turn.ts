/**
 * Is there room for this exchange, in this process and in this person's share of the upstream? Learns the turn it holds.
 * Stops: one person using up an upstream's connections for all others, and streams without number.
 * Trusts: the exchange to end the turn, whatever becomes of it.
 * Fails: a call waits for its turn; past the line, and past the ceilings on streams, it is refused with Retry-After.
 */
import { isRefusal, type Refusal } from '#kernel'
import type { Message } from '#protocol'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { Ending } from '../ending.ts'
import type { Turn, Turns } from '../limits/turns.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Admitted {
  readonly turn: Turn
}

type Needs = Authenticated &
  Aim &
  Inbound &
  Pick<Arrival, 'joint'> & { readonly httpMethod: string; readonly cut: Ending }

/** What belongs to a stream that has its turn. */
const within: Turn = { end: () => undefined }

/** Whether an exchange is a stream that waits for news, with neither an end nor a size that belong to it. */
export function waitsForNews(httpMethod: string, message: Pick<Message, 'method'> | undefined): boolean {
  return httpMethod === 'GET' || message?.method === 'subscriptions/listen'
}

function learn(turn: Turn | Refusal): Admitted | Refusal {
  return isRefusal(turn) ? turn : { turn }
}

export function awaitTurn(turns: Pick<Turns, 'openStream' | 'openCall'>): Guard<Needs, Admitted> {
  return {
    name: 'await-turn',
    check({ principal, upstream, message, httpMethod, cut, joint }) {
      if (waitsForNews(httpMethod, message)) {
        return joint?.isLeg === true ? { turn: within } : learn(turns.openStream(principal.id))
      }
      const kind = message?.kind === 'request' ? 'asked' : 'told'
      const turn = turns.openCall({ principalId: principal.id, upstream: upstream.name, kind, cut })
      return turn instanceof Promise ? turn.then(learn) : learn(turn)
    },
  }
}
