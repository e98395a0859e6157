import type { CommandPlug } from '../command.ts'

const commands: Readonly<Record<string, () => Promise<CommandPlug>>> = {
  up: async () => (await import('./up.ts')).up,
  setup: async () => (await import('./setup.ts')).setup,
  login: async () => (await import('./login.ts')).login,
  logout: async () => (await import('./logout.ts')).logout,
  connect: async () => (await import('./connect.ts')).connect,
  bridge: async () => (await import('./bridge.ts')).bridge,
  demo: async () => (await import('./demo.ts')).demo,
  upstream: async () => (await import('./upstream.ts')).upstream,
  endpoint: async () => (await import('./endpoint.ts')).endpoint,
  bundle: async () => (await import('./bundle.ts')).bundle,
  user: async () => (await import('./user.ts')).user,
  'service-account': async () => (await import('../identity/service-account.ts')).serviceAccount,
  provider: async () => (await import('../identity/provider.ts')).provider,
  scim: async () => (await import('../identity/scim.ts')).scim,
  client: async () => (await import('../identity/client.ts')).client,
  issuer: async () => (await import('../identity/issuer.ts')).issuer,
  role: async () => (await import('./role.ts')).role,
  policy: async () => (await import('../policy/policy.ts')).policy,
  approval: async () => (await import('../policy/approval.ts')).approval,
  review: async () => (await import('../reviews/review.ts')).review,
  flow: async () => (await import('../policy/flow.ts')).flow,
  token: async () => (await import('./token.ts')).token,
  hold: async () => (await import('./hold.ts')).hold,
  budget: async () => (await import('../policy/budget.ts')).budget,
  audit: async () => (await import('../ledger/audit.ts')).audit,
  witness: async () => (await import('../ledger/witness.ts')).witness,
  config: async () => (await import('./config.ts')).config,
  doctor: async () => (await import('./doctor.ts')).doctor,
  version: async () => (await import('./version.ts')).version,
  help: async () => (await import('./help.ts')).help,
}

/** In the order of the help. */
export const commandNames: readonly string[] = Object.keys(commands)

export async function loadCommand(name: string): Promise<CommandPlug> {
  const load = commands[name]
  if (load === undefined) throw new Error(`there is no command ${name}`)
  return load()
}
