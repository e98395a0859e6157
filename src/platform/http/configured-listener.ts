import type { Telemetry } from '#platform/telemetry'
import { createListener, type Listener } from './listener.ts'
import { ceilingsOf, type ListenerLimits } from './listener-ceilings.ts'
import type { Handler } from './listener-traffic.ts'
import { compileNetworks } from './networks.ts'
import { observeListener } from './observe-listener.ts'
import { readTls, type TlsPaths } from './tls-files.ts'
import { watchTls } from './tls-watch.ts'

/** The keys of the configuration that a listener is made from. */
export interface ListenerKeys {
  readonly port: number
  readonly addresses: readonly string[]
  readonly tlsCertificate?: string | undefined
  readonly tlsKey?: string | undefined
  readonly tlsMinVersion: TlsPaths['minVersion']
  readonly dangerouslyAllowPlainHttp: boolean
  readonly trustedProxies: readonly string[]
}

export interface ConfiguredListenerOptions {
  /** `gateway` or `admin`: the section of the configuration. */
  readonly name: string
  readonly keys: ListenerKeys
  readonly limits: ListenerLimits
  readonly handler: Handler
  /** Told of clients that were turned away, and of certificates that end or cannot be used. */
  readonly telemetry: Pick<Telemetry, 'log' | 'meter'> & Partial<Pick<Telemetry, 'health'>>
}

/** A listener that follows its configuration and the files of its certificate. */
export interface ConfiguredListener extends Pick<Listener, 'listen' | 'drain' | 'close' | 'connectionCount'> {
  /**
   * Whether the files of these keys hold another certificate than the one in use.
   * @throws Misuse as `readTls`
   */
  hasNewTls(keys: ListenerKeys): boolean
  /** Takes over what a running listener can. @throws Misuse as `readTls`, and then nothing changes */
  configure(keys: ListenerKeys, limits: ListenerLimits): void
  /** When the certificate in use ends, in milliseconds since 1970. */
  tlsExpiresAt(): number | undefined
}

function pathsOf({ tlsCertificate, tlsKey, tlsMinVersion }: ListenerKeys): TlsPaths | undefined {
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined
  return { certificate: tlsCertificate, key: tlsKey, minVersion: tlsMinVersion }
}

/** @throws Misuse as `createListener` and `readTls` */
export function createConfiguredListener(options: ConfiguredListenerOptions): ConfiguredListener {
  const { name, keys, handler } = options
  const { port, addresses, dangerouslyAllowPlainHttp } = keys
  const paths = pathsOf(keys)
  const tls = paths === undefined ? undefined : readTls(paths)
  let proxies = compileNetworks(keys.trustedProxies, `${name}.trustedProxies`)
  const listener = createListener({
    name,
    port,
    addresses,
    dangerouslyAllowPlainHttp,
    handler,
    ceilings: ceilingsOf(options.limits),
    isShared: (address) => proxies.has(address),
    onTurnedAway: (turnedAway) => observer.onTurnedAway(turnedAway),
    ...(tls === undefined ? {} : { tls }),
  })
  const observer = observeListener(name, options.telemetry)
  const watch =
    paths === undefined || tls === undefined
      ? undefined
      : watchTls({ paths, inUse: tls, use: listener.setTls, onProblem: observer.onTlsProblem })
  const tlsExpiresAt = () => watch?.inUse.expiresAt
  observer.watch({ connectionCount: listener.connectionCount, tlsExpiresAt })
  options.telemetry.health?.addCheck(`${name}-certificate`, () => (tlsExpiresAt() ?? Infinity) > Date.now())
  return {
    async listen() {
      const listening = await listener.listen()
      const fields = { listener: name, port: listening.port, addresses, tls: paths !== undefined }
      options.telemetry.log.milestone('http.listening', 'listening', fields)
      return listening
    },
    drain: listener.drain,
    connectionCount: listener.connectionCount,
    async close(graceMs, lastWords) {
      watch?.close()
      await listener.close(graceMs, lastWords)
      observer.close()
    },
    hasNewTls(next) {
      const nextPaths = pathsOf(next)
      if (watch === undefined || nextPaths === undefined) return false
      const found = readTls(nextPaths)
      return found.certificate !== watch.inUse.certificate || found.key !== watch.inUse.key
    },
    configure(next, limits) {
      const nextProxies = compileNetworks(next.trustedProxies, `${name}.trustedProxies`)
      const nextPaths = pathsOf(next)
      if (watch !== undefined && nextPaths !== undefined) watch.follow(nextPaths)
      proxies = nextProxies
      listener.setCeilings(ceilingsOf(limits))
    },
    tlsExpiresAt,
  }
}
