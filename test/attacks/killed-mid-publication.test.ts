/**
 * Someone kills the gateway while the policy is being published, again and again, hoping for roles of the new policy under
 * rules of the old one, or for a policy that nobody can load any more.
 */
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { type Program, startProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const lives = 3

async function startAgain({ env }: RunningCastellan): Promise<Program> {
  const program = startProgram(process.execPath, [launcher, 'up'], { env })
  onTestFinished(async () => void (await program.stop()))
  await program.waitFor(/^\{.*"event":"ready".*\}$/m)
  return program
}

function folder(mark: string): object[] {
  const grants = `  - permissions: [servers:use]\n    resources: [${mark}]\n`
  const rule = `@id("${mark}")\nforbid (principal, action in Castellan::Action::"write", resource);\n`
  return [
    { path: 'roles/marked.yaml', text: `description: ${mark}\ngrants:\n${grants}` },
    { path: 'policies/marked.cedar', text: rule },
  ]
}

/** Publishes until the process is gone; the last version that was answered. */
async function publishUntilKilled({ ana }: RunningCastellan, life: number): Promise<number> {
  let answered = 0
  for (let round = 1; ; round++) {
    try {
      const made = await ana.api('POST', '/policy/drafts', { files: folder(`mark-${life}-${round}`) })
      const asked = { hash: made.body['hash'], acceptWarnings: true }
      const published = await ana.api('POST', `/policy/drafts/${String(made.body['id'])}/publish`, asked)
      if (published.status === 200) answered = Number(published.body['version'])
    } catch {
      return answered
    }
  }
}

proves(
  'CHG-3',
  'killed while it publishes, it comes back with the whole old policy or the whole new one, and nothing that was answered is lost',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    let { program }: { program: Program } = castellan
    for (let life = 1; life <= lives; life++) {
      const publishing = publishUntilKilled(castellan, life)
      await sleep(800 + Math.random() * 400)
      process.kill(program.pid, 'SIGKILL')
      await program.ended
      const answered = await publishing
      program = await startAgain(castellan)
      const snapshot = (await castellan.ana.api('GET', '/policy/snapshot')).body
      expect(Number(snapshot['version'])).toBeGreaterThanOrEqual(Math.max(answered, 2))
      const roles = (await castellan.ana.api('GET', '/roles')).body['items'] as { name: string; description: string }[]
      const mark = roles.find(({ name }) => name === 'marked')?.description ?? 'none'
      expect(mark).toMatch(/^mark-/)
      expect(String(snapshot['cedar'])).toContain(`@id("${mark}")`)
      const history = (await castellan.ana.api('GET', '/policy/history')).body['items'] as { version: number }[]
      const newest = Number(snapshot['version'])
      const expected = Array.from({ length: Math.min(newest, 100) }, (_, at) => newest - at)
      expect(history.map(({ version }) => version)).toEqual(expected)
    }
  },
  90_000,
)
