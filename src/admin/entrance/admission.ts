import { type AdmissionKeys, compileAdmission, compileNetworks } from '#platform/http'
import type { AdminAdmission } from '../rooms.ts'

/** The control API is used in bursts by people and scripts, and asks for a session anyway. */
const burstFactor = 10

/** @throws Misuse `http.bad-network` */
export function adminAdmission(config: {
  readonly admin: AdmissionKeys
  readonly gateway: { readonly trustedProxies: readonly string[] }
  readonly limits: { readonly requestsPerMinutePerAddress: number }
}): AdminAdmission {
  const requestsPerMinutePerAddress = burstFactor * config.limits.requestsPerMinutePerAddress
  const gatewayProxies = compileNetworks(config.gateway.trustedProxies, 'gateway.trustedProxies')
  return { ...compileAdmission(config.admin, 'admin'), gatewayProxies, requestsPerMinutePerAddress }
}
