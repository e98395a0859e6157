import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliFailure } from './failure.ts'
import type { Invocation } from './invocation.ts'

/** File in the data folder, for its owner only, that holds the set-up link while there is no admin. */
export const setupLinkFile = 'setup-link'

export interface SetupLink {
  readonly url: string
  readonly adminUrl: string
  readonly token: string
}

/** @throws CliFailure `cli.bad-setup-link` */
export function readSetupLink(text: string): SetupLink {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const token = url?.hash.slice(1) ?? ''
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^[\w-]{8,200}$/.test(token)) {
    const hint = 'copy the whole link, with the part after #'
    throw new CliFailure('usage', 'cli.bad-setup-link', 'this is not a set-up link', hint)
  }
  return { url: url.href, adminUrl: url.origin, token }
}

/** The link the server left in the data folder. @throws CliFailure `cli.no-setup-link` */
export async function findSetupLink(invocation: Invocation): Promise<SetupLink> {
  const path = join((await invocation.loadConfig()).config.dataDir, setupLinkFile)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    const hint =
      'start castellan with `castellan up`, or pass --link; with an admin there already, run `castellan login`'
    throw new CliFailure('notFound', 'cli.no-setup-link', `there is no set-up link in \`${path}\``, hint)
  }
  return readSetupLink(text)
}
