/**
 * What do we hand to a client to bring back: where in which server's list it is, or what a server wants to remember?
 * Stops: positions and states of another person, address or request being taken for one's own; a server's state read by
 * another server.
 * Trusts: the sealer: what was altered or moved does not open.
 * Fails: what does not open is no position and no state.
 */
import type { Clock, Principal, Sealer } from '#kernel'
import { isObject } from '#protocol'

/** For whom and where something was sealed. */
export interface Holder {
  readonly principal: Pick<Principal, 'id'>
  /** What is served there: a server's name, or the address of several. */
  readonly address: string
}

/** A server whose list goes on, and its own name for where. */
export interface Position {
  readonly upstream: string
  readonly cursor: string
}

/** Which call of which server a state belongs to. */
export interface StateOf {
  readonly upstream: string
  readonly method: string
  /** The thing that was called, by the server's own name for it. */
  readonly name: string
}

interface Kept {
  readonly id: string
  readonly round: number
}

/** What goes on with a call that is not finished. */
export interface KeptState {
  /** What its server wants back, where it wants something. */
  readonly state: string | undefined
  /** The proof that the call passed with, and how often it has gone on since. */
  readonly stepUp: Kept | undefined
  /** The same of what people gave for it. */
  readonly remedies: Kept | undefined
}

export interface Seals {
  sealPositions(holder: Holder, method: string, positions: readonly Position[]): string
  openPositions(holder: Holder, method: string, sealed: string): readonly Position[] | undefined
  sealState(holder: Holder, of: StateOf, kept: KeptState): string
  openState(holder: Holder, of: StateOf, sealed: string): KeptState | undefined
}

/** How long a person may take for what a server asks in between. */
const stateLivesMs = 60 * 60_000

function placeOfPositions({ principal, address }: Holder, method: string): string {
  return `mcp-positions/${address}/${method}/${principal.id}`
}

function placeOfState({ principal, address }: Holder, { upstream, method, name }: StateOf): string {
  return `mcp-state/${address}/${principal.id}/${upstream}/${method}/${name}`
}

function isPosition(value: unknown): value is Position {
  return isObject(value) && typeof value['upstream'] === 'string' && typeof value['cursor'] === 'string'
}

function keptIn(value: unknown): Kept | undefined {
  if (!isObject(value)) return undefined
  const { id, round } = value
  return typeof id === 'string' && typeof round === 'number' ? { id, round } : undefined
}

export function createSeals({ sealer, clock }: { readonly sealer: Sealer; readonly clock: Clock }): Seals {
  const open = (sealed: string, place: string): unknown => {
    const bytes = sealer.open(sealed, place)
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'))
  }
  const seal = (value: unknown, place: string): string => sealer.seal(Buffer.from(JSON.stringify(value)), place)
  return {
    sealPositions: (holder, method, positions) => seal(positions, placeOfPositions(holder, method)),
    openPositions(holder, method, sealed) {
      const opened = open(sealed, placeOfPositions(holder, method))
      return Array.isArray(opened) && opened.every(isPosition) ? opened : undefined
    },
    sealState: (holder, of, kept) => seal({ ...kept, until: clock.now() + stateLivesMs }, placeOfState(holder, of)),
    openState(holder, of, sealed) {
      const opened = open(sealed, placeOfState(holder, of))
      if (!isObject(opened) || Number(opened['until']) <= clock.now()) return undefined
      const { state, stepUp, remedies } = opened
      const own = { stepUp: keptIn(stepUp), remedies: keptIn(remedies) }
      return { state: typeof state === 'string' ? state : undefined, ...own }
    },
  }
}
