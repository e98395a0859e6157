/**
 * Has this person signed in like this before? By the program they used and the network they came from.
 * Stops a thief's sign-in from looking like all the others.
 * Trusts what sessions kept of earlier sign-ins. Fails by calling it unknown, which costs a notice.
 * @see ASVS 6.3.5
 */
import type { Query } from '../parts.ts'
import { sourceOf } from '../sign-in/addresses.ts'

const mostCompared = 200

/** The program without its version, so that an update is not somebody else. */
function programOf(agent: string): string {
  return agent.replace(/[\d._]+/g, '')
}

/** Whether no earlier session of the person came from this network, or none from this program. False for the first. */
export async function isFromElsewhere(
  transaction: Query,
  place: { readonly personId: string; readonly address: string; readonly agent: string },
): Promise<boolean> {
  const earlier = await transaction
    .selectFrom('sessions')
    .select(['address', 'agent'])
    .where('person_id', '=', place.personId)
    .orderBy('id', 'desc')
    .limit(mostCompared)
    .execute()
  const isKnownNetwork = earlier.some(({ address }) => sourceOf(address) === sourceOf(place.address))
  const isKnownProgram = earlier.some(({ agent }) => programOf(agent) === programOf(place.agent))
  return earlier.length > 0 && !(isKnownNetwork && isKnownProgram)
}
