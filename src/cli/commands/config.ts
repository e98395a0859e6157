import type { ConfigEntry } from '#platform/config'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi } from '../remote/api.ts'
import { checkConfig } from '../tasks/check-config.ts'
import { reloadLines } from '../tasks/show-reload.ts'

/** A value as it would be written; secrets show as `[secret]`. */
function shown(value: unknown): string {
  if (Array.isArray(value) && !value.some((one) => typeof one === 'object')) return `[${value.join(', ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value ?? '').replace(/^"|"$/g, '')
}

async function validate({ output, loadConfig }: Invocation): Promise<void> {
  const loaded = await loadConfig()
  await checkConfig(loaded)
  const { file } = loaded
  output.result({ isValid: true, file: file ?? null }, () =>
    output.line(
      { text: 'the configuration is valid', tone: 'good' },
      file === undefined ? ' (no file; defaults)' : ` (${file})`,
    ),
  )
}

async function show({ output, loadConfig }: Invocation, options: { origin?: boolean }): Promise<void> {
  const { describeConfig, valueAt } = await import('#platform/config')
  const { config, origins } = await loadConfig()
  const rows = describeConfig().map(({ key }) => ({
    key,
    value: valueAt(config, key) ?? null,
    origin: origins[key] ?? 'default',
  }))
  type Row = (typeof rows)[number]
  const columns = [
    { title: 'KEY', cell: (row: Row) => row.key, isFixed: true },
    { title: 'VALUE', cell: (row: Row) => shown(row.value) },
  ]
  const origin = { title: 'ORIGIN', cell: (row: Row) => row.origin }
  output.result(rows, () => output.table(rows, options.origin === true ? [...columns, origin] : columns, ''))
}

function facts({ type, default: written, isLive, isSecret }: ConfigEntry): string {
  const unlessGiven = written === undefined ? [] : [`${written} unless given`]
  return [type, ...unlessGiven, ...(isSecret ? ['secret'] : []), ...(isLive ? ['taken over by a reload'] : [])].join(
    ', ',
  )
}

async function schema({ output }: Invocation, options: { jsonSchema?: boolean }): Promise<void> {
  const { configJsonSchema, describeConfig } = await import('#platform/config')
  if (options.jsonSchema === true) return output.jsonLine(configJsonSchema())
  const keys = describeConfig()
  output.result(keys, () => {
    for (const entry of keys) {
      output.line({ text: entry.key, tone: 'strong' }, `  ${facts(entry)}`)
      output.line(`    ${entry.docs}`)
      const file = entry.isSecret ? `, or ${entry.variable}_FILE with the path of a file` : ''
      output.line('    ', { text: `${entry.variable}${file}`, tone: 'dim' })
    }
  })
}

async function reload({ output, signedIn }: Invocation): Promise<void> {
  const result = await adminApi(await signedIn()).config.reload()
  if (result.outcome === 'refused') {
    const message = `the configuration was refused, the one before stays: ${result.problem ?? 'no reason was given'}`
    throw new CliFailure('remote', 'config.refused', message, result.hint ?? 'correct it and reload again')
  }
  output.result(result, () => {
    for (const spans of reloadLines(result)) output.line(...spans)
  })
}

export const config: CommandPlug = {
  examples: [
    'castellan config show --origin',
    'castellan config validate --config ./castellan.yaml',
    'castellan config schema',
    'castellan config schema --json-schema > castellan.schema.json',
    'castellan config reload',
  ],
  declare(program, open) {
    const command = program
      .command('config')
      .description('the configuration of this machine and where each value comes from')

    command
      .command('validate')
      .description('check the file, the environment and what they name, without starting anything')
      .action(() => validate(open()))
    command
      .command('show')
      .description('the values that a start would take; secrets show as [secret]')
      .option('--origin', 'with the place each one comes from')
      .action((options: { origin?: boolean }) => show(open(), options))
    command
      .command('schema')
      .description('every key, its type, default and meaning')
      .option('--json-schema', 'as JSON Schema, for editors that know `# yaml-language-server: $schema=…`')
      .action((options: { jsonSchema?: boolean }) => schema(open(), options))
    command
      .command('reload')
      .description('have the running castellan read its configuration again; a wrong one changes nothing')
      .action(() => reload(open()))
  },
}
