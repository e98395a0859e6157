import { adminApi } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'

export const logout: CommandPlug = {
  examples: ['castellan logout'],
  declare(program, open) {
    program
      .command('logout')
      .description('end the session, on the server and on this machine')
      .action(async () => {
        const { output, sessions, client, adminUrl } = open()
        const url = await adminUrl()
        const saved = sessions.find(url)
        if (saved !== undefined) {
          try {
            await adminApi(await client(saved.token)).session.signOut()
          } catch (error) {
            // WHY: a session that the server does not know any more has ended, which is what was asked.
            if (!(error instanceof CliFailure && error.reason === 'signIn')) throw error
          } finally {
            sessions.remove(url)
          }
        }
        output.result({ adminUrl: url, wasSignedIn: saved !== undefined }, () =>
          output.line(saved === undefined ? `you were not signed in at ${url}` : `signed out ${saved.name} at ${url}`),
        )
      })
  },
}
