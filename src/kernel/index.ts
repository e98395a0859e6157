export {
  type Classification,
  type EffectClass,
  effectClasses,
  type Sensitivity,
  sensitivities,
  unclassified,
} from './classification.ts'
export { type Clock, systemClock } from './clock.ts'
export { Fault, Misuse } from './fault.ts'
export { createId } from './id.ts'
export { asKept, castellanItself, type Acting, type Factor, type Kept, type Principal } from './principal.ts'
export {
  defineRefusals,
  isRefusal,
  refuse,
  type Refusal,
  type RefusalDefinition,
  type RefuseOptions,
} from './refusal.ts'
export { type Place, Roll } from './roll.ts'
export type { Sealer } from './sealer.ts'
export { Secret } from './secret.ts'
export type { Target } from './target.ts'
