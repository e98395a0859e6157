import { adminApi } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { endRenewal } from '../remote/renew-session.ts'
import type { SavedSession } from '../remote/session-store.ts'

/** Ends it at the server. @throws CliFailure when the server does not hear of it */
async function end({ client }: Invocation, { token, renewal }: SavedSession): Promise<void> {
  if (renewal !== undefined) {
    if (await endRenewal(renewal)) return
    const { origin } = new URL(renewal.revocationEndpoint)
    const message = `signed out on this machine only: \`${origin}\` did not answer`
    const hint = 'take it back on your account page there: Clients, `Castellan in a terminal`'
    throw new CliFailure('unreachable', 'cli.not-signed-out', message, hint)
  }
  try {
    await adminApi(await client(token)).session.signOut()
  } catch (error) {
    // WHY: a session that the server does not know any more has ended, which is what was asked.
    if (!(error instanceof CliFailure && error.reason === 'signIn')) throw error
  }
}

export const logout: CommandPlug = {
  examples: ['castellan logout'],
  declare(program, open) {
    program
      .command('logout')
      .description('end the session, on the server and on this machine')
      .action(async () => {
        const invocation = open()
        const { output, sessions, adminUrl } = invocation
        const url = await adminUrl()
        const saved = sessions.find(url)
        if (saved !== undefined) await end(invocation, saved).finally(() => sessions.remove(url))
        output.result({ adminUrl: url, wasSignedIn: saved !== undefined }, () =>
          output.line(saved === undefined ? `you were not signed in at ${url}` : `signed out ${saved.name} at ${url}`),
        )
      })
  },
}
