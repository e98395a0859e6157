import type { ChangeLine } from '../clients/show-change.ts'
import { isPrivateUrl } from '../clients/reach.ts'
import { shortPath } from '../clients/locate.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import type { Span } from '../terminal/table.ts'
import type { FoundClient } from './connect-list.ts'
import type { Plan, Request } from './connect-plan.ts'
import type { Outcome } from './connect-write.ts'

function painted({ mark, text }: ChangeLine): Span {
  const line = `${mark} ${text.replaceAll('\t', '  ')}`
  if (mark === '+') return { text: line, tone: 'good' }
  return { text: line, tone: mark === '-' ? 'bad' : 'dim' }
}

const tokenWords = {
  literal: 'the file holds the token',
  environment: 'the file names the variable CASTELLAN_TOKEN and holds no token',
  prompt: 'the client asks for the token once and keeps it; the file holds none',
  'token file': 'the client starts `castellan bridge`; the token lies in a file of its own',
} as const

/** A preview for people: the change as lines, and how to make it. */
export function showPlan({ output, terminal }: Invocation, plan: Plan, request: Request): void {
  const { file, client, changes } = plan
  const isNew = file.text === undefined
  const path = shortPath(file.path, terminal.home)
  const link = file.realPath === file.path ? '' : `, a link to ${shortPath(file.realPath, terminal.home)}`
  output.note({ text: `${client.title}: ${isNew ? 'a new file ' : ''}${path}${link}`, tone: 'strong' })
  for (const line of changes) output.line(painted(line))
  if (changes.length === 0) output.note('the file is as it has to be')
  output.note(`${tokenWords[plan.tokenWay]}; no value that is in the file is shown`)
  output.note(`nothing was changed and no token was made; preview ${plan.digest}`)
  output.note(`next: \`${request.asked} --write\`, or --print for what to paste`)
}

/** How the person hands over a token that the file does not hold. */
function showToken({ output }: Invocation, plan: Plan, token: string): void {
  if (plan.tokenWay === 'environment') {
    output.note({ text: 'set this where the client is started; it is shown once:', tone: 'strong' })
    output.line(`export CASTELLAN_TOKEN=${token}`)
  }
  if (plan.tokenWay === 'prompt') {
    output.note({ text: 'paste this when the client asks for it; it is shown once:', tone: 'strong' })
    output.line(token)
  }
}

/** A private gateway often has a certificate that no client knows. */
export function showAuthority({ output }: Invocation, url: string): void {
  if (!url.startsWith('https:') || !isPrivateUrl(url)) return
  output.note('with a certificate authority of your own, start the client with NODE_EXTRA_CA_CERTS=/path/of/ca.pem')
}

/** What was written, and how to take it back. */
export function showOutcome(
  invocation: Invocation,
  facts: {
    plan: Plan
    request: Request
    outcome: Outcome
    token: string
    expiresAt: string | undefined
    resource: string
  },
): void {
  const { output, terminal } = invocation
  const { plan, request, outcome } = facts
  const path = shortPath(plan.file.path, terminal.home)
  output.note({ text: outcome.isChanged ? `written: ${path}` : `${path} is as it has to be`, tone: 'good' })
  if (outcome.backup !== null) output.note(`as it was: ${shortPath(outcome.backup, terminal.home)}`)
  if (outcome.tokenFile !== null) output.note(`the token: ${shortPath(outcome.tokenFile, terminal.home)}`)
  for (const warning of outcome.warnings) output.note({ text: warning, tone: 'warn' })
  showToken(invocation, plan, facts.token)
  showAuthority(invocation, facts.resource)
  output.note(`the token works for ${facts.resource} only, until ${showTime(facts.expiresAt) ?? 'it is revoked'}`)
  if (outcome.isChanged) output.note(`undo: \`castellan connect undo ${request.clientName}\``)
  output.note(`next: ${plan.client.next}; see the calls with \`castellan audit tail\``)
}

const foundTones = { file: 'good', installed: 'good', broken: 'bad', no: 'dim' } as const

/** All clients of the table. */
export function showClients({ output, terminal }: Invocation, clients: readonly FoundClient[]): void {
  output.table(
    clients,
    [
      { title: 'CLIENT', cell: (one) => one.client, isFixed: true },
      { title: 'HERE', cell: (one) => ({ text: one.found, tone: foundTones[one.found] }), isFixed: true },
      { title: 'WAY', cell: (one) => one.way, isFixed: true },
      { title: 'ENTRIES', cell: (one) => one.entries.join(', ') },
      { title: 'FILE', cell: (one) => (one.file === null ? '' : shortPath(one.file, terminal.home)) },
    ],
    '',
  )
  output.note('see what would change with `castellan connect <client>`')
}
