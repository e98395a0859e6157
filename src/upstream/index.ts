export type { Bundle, Bundles } from './bundles.ts'
export type { AddUpstream, Catalog } from './catalog.ts'
export type { EndpointState } from './balance/balance.ts'
export { balanceSettings } from './balance/settings.ts'
export type { Classifications } from './classify/classifications.ts'
export { suggestClassification } from './classify/suggest.ts'
export { createLegacyFace } from './bridge/legacy-face.ts'
export type { UpstreamDraft } from './check-record.ts'
export { createUpstreams, type Pins, type Upstreams, type UpstreamSettings } from './create-upstreams.ts'
export { isDefinitionApproved, type Pin, readTool } from './definition.ts'
export { upstreamEvents } from './events.ts'
export { FrameQueue } from './transports/frame-queue.ts'
export type { SeenTool } from './pins/describe.ts'
export { withoutUnsafeIcons } from './pins/icons.ts'
export type { Judgement } from './pins/judge.ts'
export { upstreamRefusals } from './refusals.ts'
export { joinName, sharedToolName, splitName, toolBySharedName } from './shared-names.ts'
export { emptyAnswer, jsonAnswer } from './transports/transport.ts'
export type {
  EndSignal,
  HopProblem,
  UpstreamAnswer,
  UpstreamLimits,
  UpstreamRecord,
  UpstreamRequest,
} from './transports/transport.ts'
