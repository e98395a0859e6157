export type { AddUpstream, Catalog } from './catalog.ts'
export type { UpstreamDraft } from './check-record.ts'
export { createUpstreams, type Pins, type Upstreams, type UpstreamSettings } from './create-upstreams.ts'
export { isDefinitionApproved, type Pin, readTool } from './definition.ts'
export { upstreamEvents } from './events.ts'
export type { Judgement } from './pins.ts'
export { upstreamRefusals } from './refusals.ts'
export type {
  EndSignal,
  HopProblem,
  UpstreamAnswer,
  UpstreamLimits,
  UpstreamRecord,
  UpstreamRequest,
} from './transports/transport.ts'
