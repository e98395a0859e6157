import type { Config, LoadedConfig } from '#platform/config'
import type { Finding } from './examine.ts'

const dayMs = 86_400_000
const soonDays = 30

type Section = 'gateway' | 'admin'

/** How the listener of a section is encrypted, and for how long its certificate is good. */
export async function examineTls(section: Section, { config }: LoadedConfig, nowMs: number): Promise<Finding> {
  const { isLoopbackAddress, readTls } = await import('#platform/http')
  const { tlsCertificate: certificate, tlsKey: key, tlsMinVersion: minVersion, addresses } = config[section]
  const name = `${section} TLS`
  if (certificate === undefined || key === undefined) {
    const beyond = addresses.filter((address) => !isLoopbackAddress(address))
    if (beyond.length === 0) return { name, state: 'ok', says: 'plain HTTP, on loopback only' }
    const hint = `a proxy must end TLS before it; else set \`${section}.tlsCertificate\` and \`${section}.tlsKey\``
    return { name, state: 'warn', says: `plain HTTP on ${beyond.join(', ')}`, hint }
  }
  const { expiresAt } = readTls({ certificate, key, minVersion }, nowMs)
  const days = Math.floor((expiresAt - nowMs) / dayMs)
  const says = `${minVersion} and newer; the certificate ends on ${new Date(expiresAt).toISOString().slice(0, 10)}`
  if (days >= soonDays) return { name, state: 'ok', says }
  const hint = `renew \`${certificate}\`; a running castellan takes the new one within seconds`
  return { name, state: 'warn', says: `${says}, in ${days} ${days === 1 ? 'day' : 'days'}`, hint }
}

/** Whether a list of networks holds every address. */
function isEverybody(networks: readonly string[]): boolean {
  return networks.some((network) => network.endsWith('/0'))
}

/** Who may come in to which listener, and whose word is taken for it. */
export async function examineNetworks({ config }: LoadedConfig): Promise<Finding> {
  const { compileAdmission, isLoopbackAddress } = await import('#platform/http')
  const name = 'networks'
  for (const section of ['gateway', 'admin'] as const) compileAdmission(config[section], section)
  const believing = (['gateway', 'admin'] as const).find((section) => isEverybody(config[section].trustedProxies))
  if (believing !== undefined) {
    const says = `\`${believing}.trustedProxies\` is everybody: any client can take any address`
    return { name, state: 'fail', says, hint: 'name the addresses of the proxies themselves' }
  }
  const { admin, gateway } = config
  const isAdminOpen = isEverybody(admin.allowedNetworks) && !admin.addresses.every(isLoopbackAddress)
  if (isAdminOpen) {
    const hint = 'name the networks of your administrators in `admin.allowedNetworks`'
    return { name, state: 'warn', says: 'the admin listener takes connections from everywhere', hint }
  }
  return { name, state: 'ok', says: `gateway: ${told(gateway)}; admin: ${told(admin)}` }
}

function told({ allowedNetworks }: Config[Section]): string {
  return isEverybody(allowedNetworks) ? 'everywhere' : allowedNetworks.join(', ')
}
