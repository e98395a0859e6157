export type { RunningCastellan, Up } from './invocation.ts'
export { readVersion } from './read-version.ts'
export { runCli } from './run.ts'
