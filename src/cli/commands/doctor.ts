import type { CommandPlug } from '../command.ts'
import { examine, type Finding } from '../tasks/examine.ts'
import { CliFailure } from '../failure.ts'
import type { Tone } from '../terminal/table.ts'

const marks: Readonly<Record<Finding['state'], { text: string; tone: Tone }>> = {
  ok: { text: 'ok  ', tone: 'good' },
  warn: { text: 'warn', tone: 'warn' },
  fail: { text: 'FAIL', tone: 'bad' },
}

export const doctor: CommandPlug = {
  examples: ['castellan doctor', 'castellan doctor --json'],
  declare(program, open) {
    program
      .command('doctor')
      .description('look for what is wrong with this installation, and say what to do')
      .action(async () => {
        const invocation = open()
        const { output } = invocation
        const findings = await examine(invocation)
        output.result(findings, () => {
          for (const { name, state, says, hint } of findings) {
            output.line(marks[state], `  ${name.padEnd(12)}  ${says}`)
            if (hint !== undefined) output.line('                    ', { text: `hint: ${hint}`, tone: 'dim' })
          }
        })
        const failed = findings.filter((finding) => finding.state === 'fail')
        if (failed.length === 0) return
        const names = failed.map((finding) => finding.name).join(', ')
        throw new CliFailure(
          'usage',
          'cli.doctor',
          `${failed.length} of ${findings.length} checks failed: ${names}`,
          'follow the hints above',
        )
      })
  },
}
