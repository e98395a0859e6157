import type { Ledger } from '#audit'
import { castellanItself, type Classification, isRefusal } from '#kernel'
import type { Identity } from '#identity'
import type { Policy } from '#policy'
import { suggestClassification, type Upstreams } from '#upstream'
import { demoSeeded } from './events.ts'

interface DemoRooms {
  readonly identity: Identity
  readonly policy: Policy
  readonly upstreams: Upstreams
  readonly ledger: Ledger
}

const demoName = 'notes'

/** The demo's notes stay in this process and are nobody's but the demo's. */
const own: Classification = {
  effect: 'read',
  sensitivity: 'internal',
  dataClasses: [],
  owner: 'castellan',
  bringsUntrusted: false,
  isOutlet: false,
}

/**
 * Puts the demo upstream, its approved tools and the demo roles into an installation that has no person and no upstream yet.
 * Safe to call at every start and by two nodes at once: what is there is left as it is.
 * @param demo.notesCommand argument vector of the notes server
 */
export async function seedDemo(rooms: DemoRooms, demo: { notesCommand: readonly string[] }): Promise<void> {
  const { identity, policy, upstreams, ledger } = rooms
  // WHY: an administrator who removed the demo does not want it back at the next start.
  if ((await identity.people.list()).length > 0) return
  await upstreams.catalog.refresh()
  if (upstreams.catalog.list().length > 0) return
  await policy.seedDemoRoles()
  const by = castellanItself
  const added = await upstreams.catalog.add({ name: demoName, command: [...demo.notesCommand], isDemo: true, by })
  if (isRefusal(added)) return
  const pins = await upstreams.pins.review(demoName)
  const approved = isRefusal(pins)
    ? pins
    : await upstreams.pins.approve({
        upstream: demoName,
        tools: 'all',
        by,
        classifications: Object.fromEntries(
          pins.map(({ tool, definition }) => [tool, { ...own, effect: suggestClassification(definition).effect }]),
        ),
      })
  const details = { upstream: demoName }
  await ledger.append(
    demoSeeded,
    isRefusal(approved)
      ? { principal: by, outcome: 'failed', refusal: approved.code, details: { ...approved.detail, ...details } }
      : { principal: by, outcome: 'succeeded', details },
  )
}
