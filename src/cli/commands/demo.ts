import type { CommandPlug } from '../command.ts'
import { demoCall } from '../tasks/demo-call.ts'
import { signInWhenNeeded, withSignInOptions, type SignInOptions } from '../remote/sign-in.ts'
import { fit } from '../terminal/printable.ts'

export const demo: CommandPlug = {
  examples: ['castellan demo call', 'castellan demo call --json'],
  declare(program, open) {
    const command = program.command('demo').description('see castellan at work')
    withSignInOptions(
      command
        .command('call')
        .description('call a tool of the demo upstream with the official client library, and show each step')
        .option('--upstream <name>', 'the notes server', 'notes'),
    ).action(async (options: SignInOptions & { upstream: string }) => {
      const invocation = open()
      const { output } = invocation
      const { api, name } = await signInWhenNeeded(invocation, options)
      output.note(`as ${name}, through the gateway:`)
      const steps = await demoCall(invocation, { api, upstream: options.upstream }, (step) => {
        if (output.isJson) return
        const entry = step.entry === undefined ? '' : `entry ${step.entry}`
        const text = `${String(Math.round(step.durationMs)).padStart(6)} ms  ${entry.padEnd(12)}`
        output.line(
          { text: 'ok', tone: 'good' },
          `  ${step.name.padEnd(24)}`,
          { text, tone: 'dim' },
          `  ${fit(step.says, 60)}`,
        )
      })
      output.result({ person: name, steps }, () => {
        const last = steps.findLast((step) => step.entry !== undefined)?.entry
        output.note(
          last === undefined
            ? 'see `castellan audit tail`'
            : `see \`castellan audit show ${last}\` and \`castellan audit verify\``,
        )
      })
    })
  },
}
