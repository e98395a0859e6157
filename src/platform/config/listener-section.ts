import { z } from 'zod'
import { address, host, isLoopbackAddress, list, network, origin, path, port, publicUrl, yesOrNo } from './fields.ts'

interface ListenerDefaults {
  readonly port: number
  readonly allowedNetworks: readonly string[]
  /** Completes the sentences of the documentation: `listener for MCP clients`. */
  readonly who: string
}

const addresses = list(address, 1)
  .default(['127.0.0.1', '::1'])
  .meta({ description: 'Addresses to listen on; `0.0.0.0` and `::` are all of the machine.' })

const tls = {
  tlsCertificate: path.optional().meta({
    description: 'PEM file with the certificate and the chain up to its root; HTTPS is spoken when it is given.',
    isPath: true,
  }),
  tlsKey: path
    .optional()
    .meta({ description: 'PEM file with the key of the certificate, readable for its owner only.', isPath: true }),
  tlsMinVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'], 'expected `TLSv1.2` or `TLSv1.3`')
    .default('TLSv1.2')
    .meta({ description: 'The oldest version of TLS that a client may speak.' }),
  dangerouslyAllowPlainHttp: yesOrNo.default(false).meta({
    description:
      'Listen without TLS beyond loopback; only where a proxy before it ends TLS and nobody else reaches it.',
  }),
}

const lists = {
  trustedProxies: list(network).default([]).meta({
    description: 'Networks of the proxies before it; only from these is `X-Forwarded-For` believed.',
  }),
  allowedHosts: list(host).default([]).meta({
    description: 'Further values of `Host` that are answered, beside the public address and loopback.',
  }),
  allowedOrigins: list(origin).default([]).meta({
    description: 'Further web pages that may call it, by `Origin`, beside the public address.',
  }),
}

/** The keys of one listener. */
export function listenerSection({ port: defaultPort, allowedNetworks, who }: ListenerDefaults) {
  return z
    .strictObject({
      port: port.default(defaultPort).meta({ description: `Port of the ${who}; 0 picks a free one.` }),
      publicUrl: publicUrl.optional().meta({
        description:
          `Address of the ${who} as its clients know it; \`http://localhost:<port>\` unless given, ` +
          'or `https://…` with TLS.',
      }),
      addresses,
      ...tls,
      allowedNetworks: list(network, 1)
        .default([...allowedNetworks])
        .meta({ description: 'Networks whose clients may come in; everybody else is refused at the door.' }),
      ...lists,
    })
    .prefault({})
}

type Given = z.output<ReturnType<typeof listenerSection>>

/** A listener with its public address filled in. */
export type ListenerConfig = Omit<Given, 'publicUrl'> & { publicUrl: string }

export function complete(given: Given): ListenerConfig {
  const scheme = given.tlsCertificate === undefined ? 'http' : 'https'
  return { ...given, publicUrl: given.publicUrl ?? `${scheme}://localhost:${given.port}` }
}

/** What is wrong between the keys of one listener. @param section its name, `gateway` or `admin` */
export function listenerProblems(section: string, given: Given): { path: [string, string]; message: string }[] {
  const { tlsCertificate, tlsKey } = given
  const isPlain = tlsCertificate === undefined && tlsKey === undefined
  const problems: { path: [string, string]; message: string }[] = []
  const add = (key: string, message: string) => problems.push({ path: [section, key], message })
  if (tlsCertificate !== undefined && tlsKey === undefined) add('tlsCertificate', `expected \`${section}.tlsKey\` too`)
  if (tlsKey !== undefined && tlsCertificate === undefined) add('tlsKey', `expected \`${section}.tlsCertificate\` too`)
  if (!isPlain && given.publicUrl?.startsWith('http:') === true) {
    add('publicUrl', `expected \`https://…\`, since \`${section}.tlsCertificate\` is given`)
  }
  if (isPlain && !given.dangerouslyAllowPlainHttp && !given.addresses.every(isLoopbackAddress)) {
    add(
      'addresses',
      `expected \`${section}.tlsCertificate\` and \`${section}.tlsKey\` to listen beyond loopback, or ` +
        `\`${section}.dangerouslyAllowPlainHttp: true\` behind a proxy that ends TLS`,
    )
  }
  return problems
}
