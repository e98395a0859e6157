import { runCli } from '#cli'

// WHY: a reader that closes the pipe (`castellan audit list | head`) has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const exitCode = await runCli(process.argv.slice(2), {
  up: async (loaded, options) => {
    const { startCastellan } = await import('./compose.ts')
    return startCastellan(loaded, options)
  },
})

process.exit(exitCode)
