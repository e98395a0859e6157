import type { CommandPlug } from '../command.ts'
import { showTime } from '../duration.ts'
import { signIn, withSignInOptions, type SignInOptions } from '../remote/sign-in.ts'

export const login: CommandPlug = {
  examples: [
    'castellan login',
    'castellan login --name ana --password-file ./password --code 123456',
    'CASTELLAN_PASSWORD=… CASTELLAN_CODE=… castellan login --name ana --no-input',
  ],
  declare(program, open) {
    withSignInOptions(
      program.command('login').description('sign in and keep the session for the next commands'),
    ).action(async (options: SignInOptions) => {
      const invocation = open()
      const { name } = await signIn(invocation, options)
      const adminUrl = await invocation.adminUrl()
      const expiresAt = invocation.sessions.find(adminUrl)?.expiresAt
      invocation.output.result({ name, adminUrl, expiresAt: showTime(expiresAt) }, () =>
        invocation.output.line(`signed in as ${name} at ${adminUrl} until ${showTime(expiresAt) ?? 'further notice'}`),
      )
    })
  },
}
