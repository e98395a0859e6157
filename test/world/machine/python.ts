import { execFileSync } from 'node:child_process'
import { runProgram } from '../program.ts'

const program = 'python3'

function isThere(): boolean {
  try {
    return (
      execFileSync(program, ['-c', 'import sys; print(sys.version_info >= (3, 9))'], { encoding: 'utf8' }) === 'True\n'
    )
  } catch {
    return false
  }
}

/** Python from the distribution, which is installed where there is none. */
export function withPython(): void {
  if (!isThere()) execFileSync('apt-get', ['install', '--yes', '--quiet', 'python3-minimal'], { stdio: 'inherit' })
}

/** Runs a file of the checkout, with nothing but the standard library. */
export async function runPython(
  args: readonly string[],
): Promise<{ readonly code: number | string; readonly out: string }> {
  const { code, stdout } = await runProgram(program, ['-I', ...args])
  return { code, out: stdout }
}
