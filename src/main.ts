import { runCli } from '#cli'

let isServing = false

// WHY: a reader that closes the pipe (`castellan audit list | head`) has what it wanted. A service goes on: what it writes
// is not what it is for, and its calls are to be finished.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!isServing) process.exit(error.code === 'EPIPE' ? 0 : 1)
})
// WHY: a window that was closed takes no last words; they may not be what ends the process.
process.stderr.on('error', () => undefined)

const exitCode = await runCli(process.argv.slice(2), {
  up: async (loaded, options) => {
    isServing = true
    const { startCastellan } = await import('./compose.ts')
    return startCastellan(loaded, { ...options, exit: (code) => process.exit(code) })
  },
})

process.exit(exitCode)
