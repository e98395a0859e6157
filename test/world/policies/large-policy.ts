import { onTestFinished } from 'vitest'

/** How long one thread may work without giving way, in CPU time. */
export const mostHeldMs = 50

/** The longest that this thread worked without giving way, in CPU time: what other processes take does not count. */
export function watchThread(): () => number {
  let longest = 0
  let before = process.threadCpuUsage()
  let isOver = false
  const look = () => {
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1_000)
    before = process.threadCpuUsage()
    if (!isOver) setImmediate(look)
  }
  look()
  onTestFinished(() => {
    isOver = true
  })
  return () => longest
}

/** So many rules, on 50 upstreams `<salt>-0` to `<salt>-49`. */
export function manyRules(count: number, salt: string): string {
  return Array.from(
    { length: count },
    (
      _,
      index,
    ) => `permit (principal in Castellan::Role::"r${index % 7}", action in Castellan::Action::"tools:call", resource is Castellan::Tool)
  when { resource.upstream == "${salt}-${index % 50}" && resource.name == "t${index}" && context.numbers.hasTag("n") && context.numbers.getTag("n") < ${index} };`,
  ).join('\n')
}
