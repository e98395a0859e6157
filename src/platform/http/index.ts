export { canonicalAddress, isLoopbackAddress, sourceOf } from './addresses.ts'
export {
  type Admission,
  type AdmissionKeys,
  compileAdmission,
  type Hosts,
  isLoopbackHost,
  namesAddress,
  type Origins,
} from './admission.ts'
export { type Allowances, type Beyond, createAllowances, type Exceeded } from './allowances.ts'
export { type Arriving, clientAddressOf } from './client-address.ts'
export { type Ceilings, ceilingsOf, type ListenerLimits } from './listener-ceilings.ts'
export {
  type ConfiguredListener,
  type ConfiguredListenerOptions,
  createConfiguredListener,
  type ListenerKeys,
} from './configured-listener.ts'
export { createListener, type Listener, type ListenerOptions, type TurnedAway } from './listener.ts'
export { certificateExpiry, openConnections, turnedAwayCount } from './observe-listener.ts'
export { canonicalNetwork, compileNetworks, type Networks } from './networks.ts'
export { createFetchAt, type FetchAt, whyNotAt } from './outgoing/fetch-at.ts'
export { createGuardedFetch, type GuardedFetch } from './outgoing/guarded-fetch.ts'
export { readBody, type Unread } from './read-body.ts'
export type { Tls } from './tls-context.ts'
export { type ReadTls, readTls, type TlsPaths } from './tls-files.ts'
