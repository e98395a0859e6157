/**
 * Someone who has read the manuals tries the passwords and tokens that examples and default installations come with, and
 * looks on the disk for files with secrets that everybody can read.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { temporaryFolder } from '../world/folder.ts'
import { freePorts, runProgram } from '../world/program.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const strong = '7Qm2vR9xKp4LwZ8tNc3YbH6sJd1FgA5e'

/** Starts it as an operator would, in a folder of its own. @param prepare puts files there and names them */
async function up(prepare: (folder: string) => Record<string, string>) {
  const folder = temporaryFolder()
  const [gateway, admin] = await freePorts(2)
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    CASTELLAN_DATA_DIR: join(folder, 'data'),
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_ADMIN__PORT: String(admin),
    ...prepare(folder),
  }
  const { code, output, stdout } = await runProgram(process.execPath, [launcher, 'up'], { env, cwd: folder })
  return { code, output, stdout, folder, ports: [Number(gateway), Number(admin)] }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true))
    socket.once('connect', () => socket.destroy()).once('error', () => resolve(false))
  })
}

function secretFile(folder: string, text: string, mode: number): string {
  const path = join(folder, 'secret')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const attempts: [title: string, prepare: (folder: string) => Record<string, string>, tells: RegExp][] = [
  [
    'the password of an example',
    () => ({ CASTELLAN_DATABASE__URL: 'postgres://ana:changeme@127.0.0.1:1/castellan' }),
    /CASTELLAN_DATABASE__URL: `database\.url`: the password is a placeholder or a known default/,
  ],
  [
    'the password of a default installation, in a file',
    (folder) => ({ CASTELLAN_DATABASE__URL_FILE: secretFile(folder, 'postgres://ana:postgres@127.0.0.1:1/x', 0o600) }),
    /CASTELLAN_DATABASE__URL_FILE: `database\.url`: the password is a placeholder/,
  ],
  [
    'the token of an example',
    () => ({ CASTELLAN_TELEMETRY__METRICS_TOKEN: 'change-me-change-me-change-me-change-me' }),
    /`telemetry\.metricsToken`: the token is a placeholder/,
  ],
  [
    'a good token in a file that everybody can read',
    (folder) => ({ CASTELLAN_TELEMETRY__METRICS_TOKEN_FILE: secretFile(folder, strong, 0o644) }),
    /METRICS_TOKEN_FILE can be read by every account of this machine/,
  ],
  [
    'a root key of zeros',
    (folder) => {
      mkdirSync(join(folder, 'data'), { mode: 0o700 })
      writeFileSync(join(folder, 'data/root-key'), Buffer.alloc(32), { mode: 0o600 })
      return {}
    },
    /error\[files\.weak-secret\]: the key in `.*root-key` is a placeholder: it repeats a few bytes/,
  ],
  [
    'a root key that everybody can read',
    (folder) => {
      mkdirSync(join(folder, 'data'), { mode: 0o700 })
      writeFileSync(join(folder, 'data/root-key'), randomBytes(32))
      chmodSync(join(folder, 'data/root-key'), 0o644)
      return {}
    },
    /error\[files\.not-private\]: the file `.*root-key` can be read by other accounts/,
  ],
]

for (const [title, prepare, tells] of attempts) {
  proves('CFG-1', `with ${title} it does not start: nobody reaches it, and nothing is on record`, async () => {
    for (const mode of [{}, { NODE_ENV: 'development' }, { NODE_ENV: 'test', CI: 'true' }]) {
      const { code, output, stdout, folder, ports } = await up((made) => ({ ...mode, ...prepare(made) }))
      expect(code).toBe(1)
      expect(stdout).not.toContain('ready')
      expect(output).toMatch(tells)
      expect(output).toMatch(/^error\[[a-z.-]+\]: [^\n]+\n {2}hint: [^\n]+\n/m)
      expect(output).not.toMatch(new RegExp(`change-?me|:postgres|${strong}`))
      expect(await Promise.all(ports.map(answers))).toEqual([false, false])
      expect(existsSync(join(folder, 'data/ledger.db'))).toBe(false)
    }
  })
}
