/**
 * What is there for calls that need a fresh factor? What the gateway asks, and the page of the person.
 * Stops what each of its parts stops. Trusts its parts. Fails as they do: closed.
 */
import type { Parts } from '../parts.ts'
import type { PersonalScreen } from '../pages/screen.ts'
import { createStepUpAnswers } from './answer-step-up.ts'
import type { ProveFresh } from './prove-fresh.ts'
import { stepUpScreen, type StepUpScreenParts } from './step-up-screen.ts'
import { createStepUps, type StepUps } from './step-ups.ts'

export function createStepUp(
  parts: Parts,
  rooms: Pick<StepUpScreenParts, 'people' | 'passkeys' | 'providerOf'> & { readonly proveFresh: ProveFresh },
): { readonly stepUps: StepUps; readonly screen: PersonalScreen } {
  const answers = createStepUpAnswers(parts, rooms.proveFresh)
  return { stepUps: createStepUps(parts), screen: stepUpScreen({ ...rooms, clock: parts.clock, answers }) }
}
