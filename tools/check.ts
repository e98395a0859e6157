/**
 * One command for everything that can be judged without running the product: types, lint, format, dead code, the rules
 * of the house, the lock file and the generated pages. Two steps run at a time.
 */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

interface Ending {
  readonly step: Step
  readonly seconds: number
  readonly code: number
  readonly output: string
}

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--project', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'house', command: ['vitest', 'run', 'test/architecture', 'test/controls'] },
  { name: 'lock file', command: ['node', 'tools/lock.ts'] },
  { name: 'reference', command: ['node', 'tools/reference.ts'] },
]

const root = fileURLToPath(new URL('..', import.meta.url))
const environment = {
  ...process.env,
  ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
}

function run(step: Step): Promise<Ending> {
  const startedAt = performance.now()
  const [program, ...rest] = step.command
  return new Promise((resolve) => {
    const child = spawn(program, rest, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const end = (code: number): void =>
      resolve({ step, seconds: (performance.now() - startedAt) / 1000, code, output: output.trim() })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => {
      output += error.message
      end(1)
    })
    child.on('close', (code) => end(code ?? 1))
  })
}

function report(ending: Ending): void {
  const mark = ending.code === 0 ? 'ok    ' : 'FAILED'
  console.log(`${mark} ${ending.step.name.padEnd(10)} ${ending.seconds.toFixed(1).padStart(6)} s`)
  if (ending.code !== 0) console.log(`${ending.output.replaceAll(/^/gm, '    ')}\n`)
}

async function lane(queue: Step[], endings: Ending[]): Promise<void> {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const ending = await run(step)
    report(ending)
    endings.push(ending)
  }
}

const queue = [...steps]
const endings: Ending[] = []
await Promise.all([lane(queue, endings), lane(queue, endings)])
const failed = endings.filter((ending) => ending.code !== 0).length
console.log(failed === 0 ? 'everything holds' : `${failed} of ${steps.length} steps failed`)
process.exitCode = failed === 0 ? 0 : 1
