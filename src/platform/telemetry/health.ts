/** Where the process stands between its start and its end. */
export type Phase = 'starting' | 'started' | 'draining'

export interface Readiness {
  readonly isReady: boolean
  /** By name: what was asked, and whether it holds. */
  readonly checks: Readonly<Record<string, boolean>>
}

/** Whether the process lives, has started and may be sent traffic. */
export interface Health {
  phase(): Phase
  /** Everything is listening. */
  setStarted(): void
  /** From here on readiness is false for good: whoever sends traffic sends it elsewhere. */
  setDraining(): void
  /** One more thing that must hold to be ready. One that throws or takes too long does not hold. */
  addCheck(name: string, check: () => boolean | Promise<boolean>): void
  ready(): Promise<Readiness>
}

const checkTimeoutMs = 800

async function holds(check: () => boolean | Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs)
    timer.unref()
  })
  try {
    return await Promise.race([check(), late])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** Questions that come while one is being answered share its answer: asking often costs no more than asking. */
export function createHealth(onPhase: (phase: Phase) => void = () => undefined): Health {
  const checks = new Map<string, () => boolean | Promise<boolean>>()
  let phase: Phase = 'starting'
  let underWay: Promise<Readiness> | undefined

  async function ask(): Promise<Readiness> {
    const asked = await Promise.all([...checks].map(async ([name, check]) => [name, await holds(check)] as const))
    const isStarted = phase === 'started'
    return {
      isReady: isStarted && asked.every(([, isHeld]) => isHeld),
      checks: { started: phase !== 'starting', taking: phase !== 'draining', ...Object.fromEntries(asked) },
    }
  }

  function enter(next: Phase): void {
    phase = next
    onPhase(next)
  }

  return {
    phase: () => phase,
    setStarted() {
      if (phase === 'starting') enter('started')
    },
    setDraining() {
      if (phase !== 'draining') enter('draining')
    },
    addCheck: (name, check) => void checks.set(name, check),
    ready() {
      underWay ??= ask().finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}
