import type { Config } from '#platform/config'
import type { CommandPlug } from '../command.ts'
import type { Invocation } from '../invocation.ts'

/** The value under a dotted key, as text; secrets show as `[secret]`. */
function valueAt(config: Config, key: string): string {
  const value = key
    .split('.')
    .reduce<unknown>((part, name) => (part as Readonly<Record<string, unknown>> | undefined)?.[name], config)
  return typeof value === 'string' ? value : JSON.stringify(value ?? '').replace(/^"|"$/g, '')
}

async function validate({ output, loadConfig }: Invocation): Promise<void> {
  const { file } = await loadConfig()
  output.result({ isValid: true, file: file ?? null }, () =>
    output.line(
      { text: 'the configuration is valid', tone: 'good' },
      file === undefined ? ' (no file; defaults)' : ` (${file})`,
    ),
  )
}

async function show({ output, loadConfig }: Invocation, isOriginShown: boolean): Promise<void> {
  const { describeConfig } = await import('#platform/config')
  const { config, origins } = await loadConfig()
  const rows = describeConfig().map(({ key }) => ({
    key,
    value: valueAt(config, key),
    origin: origins[key] ?? 'default',
  }))
  const columns = [
    { title: 'KEY', cell: (row: (typeof rows)[number]) => row.key, isFixed: true },
    { title: 'VALUE', cell: (row: (typeof rows)[number]) => row.value },
  ]
  const origin = { title: 'ORIGIN', cell: (row: (typeof rows)[number]) => row.origin }
  output.result(rows, () => output.table(rows, isOriginShown ? [...columns, origin] : columns, ''))
}

async function schema({ output }: Invocation): Promise<void> {
  const { describeConfig } = await import('#platform/config')
  const keys = describeConfig()
  output.result(keys, () => {
    for (const { key, type, default: written, docs, variable } of keys) {
      output.line({ text: key, tone: 'strong' }, `  ${type}${written === undefined ? '' : `, ${written} unless given`}`)
      output.line(`    ${docs}`)
      output.line('    ', { text: variable, tone: 'dim' })
    }
  })
}

export const config: CommandPlug = {
  examples: [
    'castellan config show --origin',
    'castellan config validate --config ./castellan.yaml',
    'castellan config schema',
  ],
  declare(program, open) {
    const command = program
      .command('config')
      .description('the configuration of this machine and where each value comes from')

    command
      .command('validate')
      .description('check the file, the environment and the flags')
      .action(() => validate(open()))
    command
      .command('show')
      .description('the values in force')
      .option('--origin', 'with the place each one comes from')
      .action((options: { origin?: boolean }) => show(open(), options.origin === true))
    command
      .command('schema')
      .description('every key, its type, default and meaning')
      .action(() => schema(open()))
  },
}
