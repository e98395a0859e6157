import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Misuse } from '#kernel'
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from '#platform/config'
import { temporaryFolder } from '../folder.ts'

export interface Given {
  /** Text, or bytes as they are, of `castellan.yaml` in the working folder. */
  readonly yaml?: string | Uint8Array
  readonly env?: Record<string, string>
  readonly args?: Record<string, string>
}

/** Reads a configuration in a folder of its own, as Ana. */
export function load({ yaml, env = {}, args }: Given = {}): LoadedConfig & { cwd: string } {
  const cwd = temporaryFolder()
  if (yaml !== undefined) writeFileSync(join(cwd, 'castellan.yaml'), yaml)
  const options: LoadConfigOptions = { env, cwd, home: '/people/ana', ...(args === undefined ? {} : { args }) }
  return { cwd, ...loadConfig(options) }
}

/** What is said about a configuration that is refused. @throws when nothing is wrong with it */
export function problemOf(given: Given): { code: string; message: string; hint: string } {
  try {
    load(given)
  } catch (error) {
    if (error instanceof Misuse) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('nothing was wrong')
}
