/**
 * May this be an upstream?
 *
 * Stops: names that collide with routes, commands meant for a shell, URLs that carry credentials.
 * Trusts: nothing; the admin API's own validation is not needed here.
 * Fails: with a Refusal that names the problem.
 */
import { refuse, type Refusal } from '#kernel'
import { upstreamRefusals } from './refusals.ts'

const reservedNames = new Set(['castellan', 'mcp', 'servers', 'bundles'])

const maxArguments = 256
const maxCommandChars = 32 * 1024
const maxUrlChars = 2048
const maxVariables = 64
const maxEnvironmentChars = 32 * 1024

/** What an admin asks for: exactly one of `command` and `url`. */
export interface UpstreamDraft {
  readonly name: string
  readonly command?: readonly string[] | undefined
  readonly url?: string | undefined
  readonly environment?: Readonly<Record<string, string>> | undefined
}

function nameProblem(name: string): Refusal | undefined {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) return refuse(upstreamRefusals.nameInvalid, { names: { name } })
  if (reservedNames.has(name)) return refuse(upstreamRefusals.nameReserved, { names: { name } })
  return undefined
}

function programProblem(program: string): string | undefined {
  if (program.startsWith('/')) return undefined
  if (program.includes('/')) return 'a program is a bare name or an absolute path'
  if (/\s/.test(program)) return 'the program holds white space, as if it were a whole command line'
  if (!/^[A-Za-z0-9_@%+=:,.][A-Za-z0-9_@%+=:,.-]*$/.test(program)) return 'the program holds characters of a shell'
  if (program === '.' || program === '..') return 'a program is a bare name or an absolute path'
  return undefined
}

function commandProblem(command: readonly string[]): string | undefined {
  if (!Array.isArray(command) || command.length === 0) return 'it is empty'
  if (command.length > maxArguments) return `it has more than ${maxArguments} elements`
  if (!command.every((part) => typeof part === 'string')) return 'an element is not text'
  if (command.some((part) => part.includes('\u0000'))) return 'an element holds a zero byte'
  const chars = command.reduce((sum, part) => sum + part.length, 0)
  if (chars > maxCommandChars) return `it is longer than ${maxCommandChars} characters`
  const program = command[0] ?? ''
  return program === '' ? 'the program is empty' : programProblem(program)
}

/** What is wrong with the address of an endpoint; undefined when it can be used. */
export function urlProblem(text: string): string | undefined {
  if (text.length > maxUrlChars) return `it is longer than ${maxUrlChars} characters`
  const url = URL.parse(text)
  if (url === null) return 'it is not a url'
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'its scheme is neither http nor https'
  if (url.username !== '' || url.password !== '' || /^https?:\/\/[^/?#]*@/i.test(text)) return 'it carries credentials'
  return text.includes('#') ? 'it has a fragment' : undefined
}

function environmentProblem(environment: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(environment)
  if (entries.length > maxVariables) return `it has more than ${maxVariables} names`
  let chars = 0
  for (const [name, value] of entries) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'a name holds other characters'
    if (typeof value !== 'string' || value.includes('\u0000')) return 'a value is not text'
    chars += name.length + value.length
  }
  return chars > maxEnvironmentChars ? `it is longer than ${maxEnvironmentChars} characters` : undefined
}

/** What is wrong with a draft; undefined when it can be added. */
export function checkRecord(draft: UpstreamDraft): Refusal | undefined {
  const { name, command, url, environment = {} } = draft
  const refused = nameProblem(name)
  if (refused !== undefined) return refused
  if ((command === undefined) === (url === undefined)) return refuse(upstreamRefusals.addressMissing)
  const wrongCommand = command === undefined ? undefined : commandProblem(command)
  if (wrongCommand !== undefined) return refuse(upstreamRefusals.commandInvalid, { names: { problem: wrongCommand } })
  const wrongUrl = url === undefined ? undefined : urlProblem(url)
  if (wrongUrl !== undefined) return refuse(upstreamRefusals.urlInvalid, { names: { problem: wrongUrl } })
  const isMisplaced = url !== undefined && Object.keys(environment).length > 0
  const wrong = isMisplaced ? 'a url has none' : environmentProblem(environment)
  return wrong === undefined ? undefined : refuse(upstreamRefusals.environmentInvalid, { names: { problem: wrong } })
}
