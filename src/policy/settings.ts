/**
 * Where is an address, and what time is it there where the rules count it?
 * Stops: rules that mean one time zone and are judged in another.
 * Trusts: the configuration, which was checked; the time zones of the runtime.
 * Fails: an address that cannot be read lies in no network.
 */
import { compileNetworks } from '#platform/http'
import { type CedarRecord, type CedarSet, recordOf, textSet } from './evaluate/values.ts'

/** The configuration's `policy`, as far as questions need it. */
export interface QuestionSettings {
  /** An IANA name, e.g. `Europe/Berlin`. */
  readonly timeZone: string
  /** Networks in CIDR notation, by the names that rules know them under. */
  readonly networks: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** Whether two persons change the policy. */
  readonly fourEyes?: boolean
  /** How many of a million decisions the official engine judges again; none unless told. */
  readonly rejudgedPerMillion?: number
}

export interface Surroundings {
  /** An IANA name: where days and months begin. */
  readonly timeZone: string
  /** Names of all networks that rules can speak of. */
  readonly networkNames: readonly string[]
  readonly isFourEyes: boolean
  /** Between 0 and 1. */
  readonly rejudgeShare: number
  /** Names of the networks that hold an address. */
  zonesOf(address: string): CedarSet
  /** `date` as year-month-day, `weekday` as monday, `hour` and `minute`. */
  timeAt(ms: number): CedarRecord
}

const minuteMs = 60_000

function createClockFace(timeZone: string): (ms: number) => CedarRecord {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
  })
  let last: { readonly minute: number; readonly time: CedarRecord } | undefined
  return (ms) => {
    const minute = Math.floor(ms / minuteMs)
    // WHY: questions come by the thousand in one minute, and the calendar is slow.
    if (last?.minute === minute) return last.time
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    const { year = '', month = '', day = '', weekday = '', hour = '', minute: minutes = '' } = parts
    const time = recordOf(
      new Map<string, string | number>([
        ['date', `${year}-${month}-${day}`],
        ['weekday', weekday.toLowerCase()],
        ['hour', Number(hour)],
        ['minute', Number(minutes)],
      ]),
    )
    last = { minute, time }
    return time
  }
}

/** Compiles the settings. @throws Misuse for what is no network; RangeError for what is no time zone */
export function createSurroundings({ policy }: { readonly policy: QuestionSettings }): Surroundings {
  const { timeZone, networks, fourEyes = false, rejudgedPerMillion = 0 } = policy
  const zones = networks.map(({ name, addresses }) => ({
    name,
    networks: compileNetworks(addresses, 'policy.networks'),
  }))
  return {
    timeZone,
    networkNames: networks.map(({ name }) => name),
    isFourEyes: fourEyes,
    rejudgeShare: rejudgedPerMillion / 1_000_000,
    timeAt: createClockFace(timeZone),
    zonesOf: (address) => textSet(new Set(zones.filter((zone) => zone.networks.has(address)).map(({ name }) => name))),
  }
}
