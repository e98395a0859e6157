/**
 * What does the data plane take from the configuration?
 * Stops: a network that cannot be read opening or closing the door by chance.
 * Trusts: the configuration's schema for each value alone.
 * Fails: with Misuse for a list that cannot be compiled; the settings before stay in force.
 */
import { type AdmissionKeys, compileAdmission } from '#platform/http'
import type { GatewayLimits, GatewaySettings } from '../rooms.ts'

/** The sections of the configuration that the data plane reads. */
export interface GatewayKeys {
  readonly gateway: AdmissionKeys
  readonly limits: GatewayLimits & { readonly upstreamSilenceSeconds: number }
}

/** @throws Misuse `http.bad-network` */
export function gatewaySettings({ gateway, limits }: GatewayKeys): GatewaySettings {
  const deadlineMs = limits.upstreamSilenceSeconds * 1_000
  return { publicUrl: gateway.publicUrl, ...compileAdmission(gateway, 'gateway'), limits, deadlineMs }
}
