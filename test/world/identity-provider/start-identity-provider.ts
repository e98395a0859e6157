import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { atEnd } from '../../ending.ts'
import { freePorts, startProgram } from '../program.ts'

/** An account at the provider, and what it tells of it. */
export interface ProviderAccount {
  readonly subject: string
  readonly login: string
  readonly password: string
  readonly claims: Readonly<Record<string, unknown>>
  /** How the account proves itself there; nothing is told unless given. */
  readonly acr?: string
  readonly amr?: readonly string[]
}

export interface ProviderProgramSettings {
  readonly port: number
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string }
  readonly accounts: readonly ProviderAccount[]
  /** The Castellan that people sign in at by it; `provider` is what it is called there. */
  readonly client: { readonly id: string; readonly secret: string; readonly site: string; readonly provider: string }
  /** Whether claims are told by userinfo alone; they are unless told otherwise. */
  readonly isConforming?: boolean
}

export interface IdentityProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Replaces all accounts, as an administrator there would change their groups. */
  setAccounts(accounts: readonly ProviderAccount[]): Promise<void>
  /** What it printed so far. */
  output(): string
}

const program = fileURLToPath(new URL('program.ts', import.meta.url))

export interface IdentityProviderOptions extends Pick<ProviderProgramSettings, 'accounts' | 'tls' | 'isConforming'> {
  /** Where Castellan is. */
  readonly site: string
  /** What it is called there. */
  readonly name: string
  /** Certificates that it believes, beside those of the system. */
  readonly authorityPath?: string
}

/** Makes this process believe an authority until the running test ends. */
export function trustAuthority({ certificate }: { readonly certificate: string }): void {
  const before = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...before, certificate])
  atEnd(() => tls.setDefaultCACertificates(before))
}

/** Starts a provider as a process of its own, which ends with the running test. */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const [port = 0] = await freePorts(1)
  const client = {
    id: 'castellan-in-a-test',
    secret: 'secret-of-a-client-in-a-test',
    site: options.site,
    provider: options.name,
  }
  const { accounts, tls, isConforming } = options
  const settings: ProviderProgramSettings = {
    port,
    accounts,
    client,
    ...(tls === undefined ? {} : { tls }),
    ...(isConforming === undefined ? {} : { isConforming }),
  }
  const running = startProgram(process.execPath, [program, JSON.stringify(settings)], {
    env: {
      PATH: process.env['PATH'],
      ...(options.authorityPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.authorityPath }),
    },
  })
  atEnd(() => running.stop())
  const [, issuer = ''] = await running.waitFor(/^ready (\S+)$/m)
  return {
    issuer,
    clientId: client.id,
    clientSecret: client.secret,
    output: running.output,
    async setAccounts(next) {
      const answer = await fetch(`${issuer}/accounts-of-the-test`, { method: 'PUT', body: JSON.stringify(next) })
      if (answer.status !== 200) throw new Error('the accounts were not replaced')
    },
  }
}
