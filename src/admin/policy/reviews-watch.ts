import type { Rooms } from '../rooms.ts'

const everyMs = 5 * 60_000

const notices = { asked: 'review-asked', soon: 'review-asked', due: 'review-due' } as const

type Tended = Pick<Rooms, 'policy' | 'identity'>

/** Counts what is new in this node's ledger, settles overdue items of campaigns and tells reviewers, each once. */
export async function tendReviews({ policy, identity }: Tended): Promise<void> {
  const { reviews } = policy
  await reviews.count()
  await reviews.campaigns.settle()
  for (const telling of await reviews.campaigns.tellings()) {
    const { campaign, what, people } = telling
    // WHY: told first: a node that dies in between tells twice rather than never, and who has not looked is not told twice.
    await identity.notices.tell(people, notices[what], { name: campaign.name })
    await reviews.campaigns.markTold(telling)
  }
}

/** Tends reviews every few minutes; what breaks is logged and tried again. @returns what ends it */
export function watchReviews(rooms: Tended & Pick<Rooms, 'telemetry'>): () => void {
  const tend = () => {
    tendReviews(rooms).catch((error: unknown) => {
      const says = error instanceof Error ? error.message : String(error)
      rooms.telemetry.log.error('reviews.untended', 'reviews of access could not be tended', { says })
    })
  }
  const timer = setInterval(tend, everyMs).unref()
  return () => clearInterval(timer)
}
