import { canonicalAddress } from './addresses.ts'
import { compileNetworks, type Networks } from './networks.ts'

/** Values of `Host` that are answered. */
export interface Hosts {
  /** @param header as it came; absent, malformed and with an account in it are none of them */
  has(header: string | undefined): boolean
}

/** Values of `Origin` that may call. */
export interface Origins {
  has(header: string): boolean
}

/** Who may come in to a listener: compiled from its section of the configuration. */
export interface Admission {
  readonly allowedNetworks: Networks
  readonly trustedProxies: Networks
  readonly hosts: Hosts
  readonly origins: Origins
}

/** The keys of a listener that say who may come in. */
export interface AdmissionKeys {
  readonly publicUrl: string
  readonly port: number
  readonly allowedNetworks: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }
const hostPattern = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,255})(?::(\d{0,5}))?$/
const originPattern = /^([a-z][a-z0-9+.-]{0,31}):\/\/(.{1,300})$/

/**
 * The one spelling of a host: lower case, without a root dot or the scheme's own port, IPv6 as RFC 5952 writes it.
 * @returns undefined for what is no host, such as one with an account before it
 */
function canonicalHost(written: string, defaultPort: number | undefined): string | undefined {
  const [, name = '', port = ''] = hostPattern.exec(written.toLowerCase()) ?? []
  if (name === '' || Number(port) > 65_535) return undefined
  const address = name.startsWith('[') ? canonicalAddress(name.slice(1, -1)) : undefined
  if (name.startsWith('[') && address === undefined) return undefined
  const plain = address === undefined ? name.replace(/\.$/, '') : `[${address}]`
  return port === '' || Number(port) === defaultPort ? plain : `${plain}:${Number(port)}`
}

function canonicalOrigin(written: string): string | undefined {
  const [, scheme = '', rest = ''] = originPattern.exec(written.toLowerCase()) ?? []
  const host = canonicalHost(rest, defaultPorts[scheme])
  return host === undefined ? undefined : `${scheme}://${host}`
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** Whether a `Host` names this machine, at this port. */
export function isLoopbackHost(header: string, port: number): boolean {
  return loopbackNames.some((name) => canonicalHost(header, 80) === canonicalHost(`${name}:${port}`, 80))
}

/** Whether a `Host` is this address itself, at this port: no name, so none that somebody else could point here. */
export function namesAddress(header: string, address: string, port: number): boolean {
  const canonical = canonicalAddress(address)
  if (canonical === undefined) return false
  const name = canonical.includes(':') ? `[${canonical}]` : canonical
  return canonicalHost(header, 80) === canonicalHost(`${name}:${port}`, 80)
}

function compileHosts({ publicUrl, port, allowedHosts }: AdmissionKeys): Hosts {
  const { host, hostname, protocol, port: publicPort } = new URL(publicUrl)
  const defaultPort = defaultPorts[protocol.slice(0, -1)]
  const ports = [...(port === 0 ? [] : [String(port)]), ...(loopbackNames.includes(hostname) ? [publicPort] : [])]
  const loopback = loopbackNames.flatMap((name) => ports.map((each) => (each === '' ? name : `${name}:${each}`)))
  const allowed = new Set<string>()
  for (const each of [host, ...loopback, ...allowedHosts]) {
    const canonical = canonicalHost(each, defaultPort)
    if (canonical !== undefined) allowed.add(canonical)
  }
  return {
    has(header) {
      if (header === undefined) return false
      // WHY: nearly every client writes the one spelling; only what differs is taken apart.
      if (allowed.has(header)) return true
      const canonical = canonicalHost(header, defaultPort)
      return canonical !== undefined && allowed.has(canonical)
    },
  }
}

function compileOrigins({ publicUrl, allowedOrigins }: AdmissionKeys): Origins {
  const allowed = new Set<string>()
  for (const each of [publicUrl, ...allowedOrigins]) {
    const canonical = canonicalOrigin(each)
    if (canonical !== undefined) allowed.add(canonical)
  }
  return {
    has(header) {
      const canonical = canonicalOrigin(header)
      return canonical !== undefined && allowed.has(canonical)
    },
  }
}

/**
 * Compiles who may come in to a listener. Loopback names are answered at the listening port, and at that of a public
 * address on this machine; the only origins are that of the public address and those listed. `null` is none.
 * @param section of the configuration, `gateway` or `admin`, for the message
 * @throws Misuse `http.bad-network`
 */
export function compileAdmission(keys: AdmissionKeys, section: string): Admission {
  return {
    allowedNetworks: compileNetworks(keys.allowedNetworks, `${section}.allowedNetworks`),
    trustedProxies: compileNetworks(keys.trustedProxies, `${section}.trustedProxies`),
    hosts: compileHosts(keys),
    origins: compileOrigins(keys),
  }
}
