/**
 * Is this a classification?
 *
 * Stops: labels that no rule could name; owners that break a line.
 * Trusts: nothing; every field is checked, also its type.
 * Fails: with a refusal that names the field.
 */
import { type Classification, effectClasses, refuse, type Refusal, sensitivities } from '#kernel'
import { upstreamRefusals } from '../refusals.ts'

export const classificationLimits = { maxDataClasses: 16, maxOwnerLength: 100 } as const

const dataClass = /^[a-z][a-z0-9-]{0,39}$/
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

function wrongField(given: Classification): string | undefined {
  const { maxDataClasses, maxOwnerLength } = classificationLimits
  if (!effectClasses.includes(given.effect)) return 'effect'
  if (!sensitivities.includes(given.sensitivity)) return 'sensitivity'
  const { dataClasses, owner } = given
  const areNames = Array.isArray(dataClasses) && dataClasses.every((one) => dataClass.test(String(one)))
  if (!areNames || dataClasses.length > maxDataClasses) return 'dataClasses'
  const isOwner = typeof owner === 'string' && owner.length <= maxOwnerLength && owner.isWellFormed()
  if (!isOwner || controlCharacter.test(owner)) return 'owner'
  if (typeof given.bringsUntrusted !== 'boolean') return 'bringsUntrusted'
  return typeof given.isOutlet === 'boolean' ? undefined : 'isOutlet'
}

/** The classification with nothing but what one has, its classes sorted; or a refusal that names the field. */
export function checkClassification(given: Classification): Classification | Refusal {
  const field = wrongField(given)
  if (field !== undefined) return refuse(upstreamRefusals.classificationInvalid, { names: { field } })
  const { effect, sensitivity, owner, bringsUntrusted, isOutlet } = given
  const dataClasses = [...new Set(given.dataClasses)].toSorted()
  return { effect, sensitivity, dataClasses, owner, bringsUntrusted, isOutlet }
}
