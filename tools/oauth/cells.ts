/** One thing that one client did: it came out as it has to, or not, and what was seen. */
export interface Cell {
  readonly client: string
  readonly step: string
  readonly isRight: boolean
  readonly seen: string
}

/** Takes down what each client did. */
export interface Cells {
  readonly all: readonly Cell[]
  /** Does a step: right when it does not throw. @returns what the step returned, or undefined when it failed */
  step<T>(client: string, step: string, work: () => Promise<T>): Promise<T | undefined>
}

/** Fails the step that it is called in. */
export function must(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise)
}

/** Fails unless the server refuses with this error of the RFCs. */
export async function mustRefuse(error: string, answer: Promise<unknown>): Promise<void> {
  const told = await answer.then(
    (value) => `it was given: ${JSON.stringify(value)?.slice(0, 80)}`,
    (thrown: unknown) => errorOf(thrown),
  )
  must(told === error, `instead of ${error}: ${told}`)
}

function errorOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  if ('error' in thrown && typeof thrown.error === 'string') return thrown.error
  const { cause } = thrown
  const [challenge] = Array.isArray(cause) ? (cause as { parameters?: { error?: string } }[]) : []
  return challenge?.parameters?.error ?? thrown.message
}

export function createCells(tell: (line: string) => void): Cells {
  const all: Cell[] = []
  return {
    all,
    async step(client, step, work) {
      let failed: unknown
      const outcome = await work().catch((thrown: unknown) => {
        failed = thrown ?? new Error('failed')
        return undefined
      })
      const isRight = failed === undefined
      const seen = isRight ? 'as it has to be' : failed instanceof Error ? failed.message : String(failed)
      all.push({ client, step, isRight, seen })
      tell(`${isRight ? 'ok   ' : 'WRONG'} ${client.padEnd(22)} ${step}${isRight ? '' : `: ${seen.slice(0, 900)}`}`)
      return outcome
    },
  }
}

/** What the cells come to. INVARIANT: nothing done is nothing shown. */
export function sumUp(cells: readonly Cell[], clients: readonly string[]) {
  const wrong = cells.filter(({ isRight }) => !isRight).length
  const missing = clients.filter((client) => !cells.some((cell) => cell.client === client))
  return { holds: wrong === 0 && missing.length === 0 && cells.length > 0, cells: cells.length, wrong, missing }
}
