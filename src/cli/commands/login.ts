import type { CommandPlug } from '../command.ts'
import { showTime } from '../duration.ts'
import { signIn, withSignInOptions, type SignInOptions } from '../remote/sign-in.ts'

export const login: CommandPlug = {
  examples: [
    'castellan login',
    'castellan login --terminal',
    'castellan login --name ana --password-file ./password --code 123456',
    'CASTELLAN_PASSWORD=… CASTELLAN_CODE=… castellan login --name ana --no-input',
  ],
  declare(program, open) {
    withSignInOptions(
      program
        .command('login')
        .description('sign in by a browser, or with name and password, and stay signed in for the next commands')
        .option('--device', 'by a browser, also where nobody can answer questions here')
        .option('--terminal', 'type name, password and code here'),
    ).action(async (options: SignInOptions) => {
      const invocation = open()
      const { name } = await signIn(invocation, options)
      const adminUrl = await invocation.adminUrl()
      const saved = invocation.sessions.find(adminUrl)
      const how = saved?.renewal === undefined ? 'password' : 'browser'
      const expiresAt = showTime(saved?.expiresAt)
      const until = how === 'browser' ? 'by your browser' : `until ${expiresAt ?? 'further notice'}`
      invocation.output.result({ name, adminUrl, how, expiresAt }, () =>
        invocation.output.line(`signed in as ${name} at ${adminUrl} ${until}`),
      )
    })
  },
}
