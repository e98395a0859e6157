/**
 * What is told of the endpoints while they are chosen and watched?
 *
 * Stops: an endpoint that is not asked any more without anybody hearing of it.
 * Trusts: the ledger to sanitise details before they are kept.
 * Fails: what cannot be recorded is not retried; the metrics have it.
 */
import type { Ledger } from '#audit'
import { upstreamEvents } from '../events.ts'
import { type Balance, type BalanceNeeds, createBalance } from './balance.ts'
import type { EndpointNews } from './endpoint.ts'
import { describeEndpoint } from './endpoint-store.ts'
import { type BalanceMeter, breakerChanges, observeEndpoints, upstreamRepeats } from './metrics.ts'

interface OpenNeeds extends Omit<BalanceNeeds, 'onNews' | 'onRepeat'> {
  readonly ledger: Pick<Ledger, 'append'>
  readonly meter?: BalanceMeter | undefined
}

function record(ledger: OpenNeeds['ledger'], { upstream, endpoint, what, cause }: EndpointNews): void {
  const entry = ledger.append(upstreamEvents[what], {
    target: { upstream, kind: 'server' },
    outcome: 'succeeded',
    details: { ...describeEndpoint(endpoint), cause },
  })
  entry.catch(() => undefined)
}

/** A balance whose endpoints are on record and in the metrics. */
export function openBalance({ ledger, meter, ...needs }: OpenNeeds): Balance {
  const changes = meter?.counter(breakerChanges)
  const repeats = meter?.counter(upstreamRepeats)
  const balance = createBalance({
    ...needs,
    onNews(news) {
      const to = news.what === 'breakerOpened' ? 'open' : news.what === 'breakerClosed' ? 'closed' : undefined
      if (to !== undefined) changes?.with({ to, server: news.upstream, endpoint: news.endpoint.id }).add()
      record(ledger, news)
    },
    onRepeat: (server) => repeats?.with({ server }).add(),
  })
  if (meter !== undefined) observeEndpoints(meter, () => balance.states())
  return balance
}
