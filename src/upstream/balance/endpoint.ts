/**
 * How is one endpoint, and what is under way there?
 *
 * Stops: what a call did long ago, or its caller, being held against an endpoint.
 * Trusts: the place to tell what becomes of each exchange.
 * Fails: nothing here can fail.
 */
import type { Clock, Fault } from '#kernel'
import type { UpstreamAnswer, UpstreamEndpoint } from '../transports/transport.ts'
import type { Failure, Hop } from '../transports/streamable-http/hop.ts'
import type { Place } from '../transports/streamable-http/streamable-http.ts'
import { Breaker } from './breaker.ts'
import type { Choosable } from './choose.ts'
import type { BalanceSettings } from './settings.ts'

/** Health checks in a row that an endpoint does not answer before it counts as unhealthy. */
const badChecks = 2

/** What happened to an endpoint, for the ledger. */
export interface EndpointNews {
  readonly upstream: string
  readonly endpoint: UpstreamEndpoint
  readonly what: 'breakerOpened' | 'breakerClosed' | 'endpointUnhealthy' | 'endpointHealthy'
  /** The code of the fault, or the status. */
  readonly cause: string
}

export interface EndpointNeeds {
  readonly upstream: string
  readonly record: UpstreamEndpoint
  readonly place: Place
  readonly clock: Clock
  readonly settings: { readonly current: BalanceSettings }
  readonly onNews: (news: EndpointNews) => void
  /** The same exchange at another endpoint; undefined when there is none. */
  readonly repeat: (failed: Endpoint, failure: Failure) => Promise<UpstreamAnswer> | undefined
}

/** A caller that leaves, or asks for more than is passed on, says nothing of how the endpoint is. */
const innocent: ReadonlySet<string> = new Set(['upstream.cancelled', 'upstream.answer-too-large'])

export class Endpoint implements Hop, Choosable {
  readonly record: UpstreamEndpoint
  readonly place: Place
  inFlight = 0
  chosen = 0
  isHealthy = true
  readonly #needs: EndpointNeeds
  readonly #breaker: Breaker
  #badChecks = 0
  #cause = ''

  constructor(needs: EndpointNeeds) {
    const { clock, settings } = needs
    this.#needs = needs
    this.record = needs.record
    this.place = needs.place
    const onOpened = (): void => this.#tell('breakerOpened')
    this.#breaker = new Breaker({ clock, settings, onOpened, onClosed: () => this.#tell('breakerClosed') })
  }

  get weight(): number {
    return this.record.weight
  }

  get region(): string | undefined {
    return this.record.region
  }

  get isOpen(): boolean {
    return this.#breaker.isOpen
  }

  /** Until it may be tried again; 0 while it is asked. */
  get waitMs(): number {
    return this.#breaker.waitMs
  }

  get isPassable(): boolean {
    return this.#breaker.isPassable
  }

  get hasRoom(): boolean {
    const { connections, waitingCalls } = this.#needs.settings.current
    return this.inFlight < connections + waitingCalls
  }

  get isFree(): boolean {
    return this.hasRoom && this.#breaker.isPassable
  }

  /** How an exchange is followed: one that goes through an open breaker is its probe. */
  hop(): Hop {
    return this.#breaker.isOpen ? this.#probe() : this
  }

  begun(): void {
    this.inFlight += 1
  }

  answered(status: number): void {
    this.judge(status, false)
  }

  failed(fault: Fault): void {
    this.judge(fault, false)
  }

  ended(): void {
    this.inFlight -= 1
  }

  repeat(failure: Failure): Promise<UpstreamAnswer> | undefined {
    return this.#needs.repeat(this, failure)
  }

  /** @param outcome a status, or what broke. @param isProbe it went through an open breaker */
  judge(outcome: number | Fault, isProbe: boolean): void {
    const isFault = typeof outcome !== 'number'
    if (isFault && innocent.has(outcome.code)) return
    if (!isFault && outcome < 500) return this.#breaker.succeeded(isProbe)
    this.#cause = isFault ? outcome.code : String(outcome)
    this.#breaker.failed(isProbe)
  }

  /** Takes the result of a health check. */
  checked(isAlive: boolean, cause: string): void {
    this.#badChecks = isAlive ? 0 : this.#badChecks + 1
    const isHealthy = isAlive || (this.isHealthy && this.#badChecks < badChecks)
    if (isHealthy === this.isHealthy) return
    this.isHealthy = isHealthy
    this.#cause = cause
    this.#tell(isHealthy ? 'endpointHealthy' : 'endpointUnhealthy')
  }

  #probe(): Hop {
    this.#breaker.beginProbe()
    return {
      begun: () => this.begun(),
      answered: (status) => this.judge(status, true),
      failed: (fault) => this.judge(fault, true),
      ended: () => {
        this.#breaker.probeLeft()
        this.ended()
      },
      repeat: (failure) => this.repeat(failure),
    }
  }

  #tell(what: EndpointNews['what']): void {
    const { upstream, record, onNews } = this.#needs
    onNews({ upstream, endpoint: record, what, cause: this.#cause })
  }
}
