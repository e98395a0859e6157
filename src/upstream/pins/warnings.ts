/**
 * What speaks against a definition as it was seen, by itself and beside others?
 *
 * Stops: one upstream's definitions from keeping the process busy: each is examined once, and others run in between.
 * Trusts: the stored text of a definition only where it has the hash that was seen.
 * Fails: a definition that was too large to keep is known by its name and cannot be approved.
 */
import { createHash } from 'node:crypto'
import { setImmediate as others } from 'node:timers/promises'
import { readJson } from '#protocol'
import { maxDefinitionBytes } from '../definition.ts'
import { examine } from './examine.ts'
import { likenessOf, type KnownTool, type KnownTools } from './likeness.ts'
import { reason, type Reason } from './reason.ts'

/** A definition as it is stored. */
export interface Kept {
  readonly definition: Record<string, unknown>
  /** Canonical JSON; of a definition that was too large, that of its name. */
  readonly text: string
  /** Of the whole definition. */
  readonly hash: string
  readonly isWhole: boolean
}

/** A definition from its canonical JSON, with the keys that its hash was made over. */
export function readDefinition(text: string): Record<string, unknown> {
  return readJson(text).value as Record<string, unknown>
}

export function readKept(text: string, hash: string): Kept {
  const isWhole = createHash('sha256').update(text).digest('hex') === hash
  return { definition: readDefinition(text), text, hash, isWhole }
}

/** A definition to be judged. */
export interface Candidate extends KnownTool, Kept {
  /** What is or was approved under the name. */
  readonly approved?: Record<string, unknown> | undefined
}

export interface Examiner {
  /** In the order of the candidates. */
  warningsOf(candidates: readonly Candidate[], known: KnownTools): Promise<Reason[][]>
}

const maxRemembered = 4_000
/** Text that is examined before others run: a few milliseconds' worth. */
const breathChars = 64 * 1024

const tooLarge = reason(
  'too-large',
  `the definition is larger than ${maxDefinitionBytes} bytes, or one too many large ones`,
)

function alikes(candidate: Candidate, known: KnownTools): Reason[] {
  const { approved } = candidate
  // WHY: what an approved tool was taken for already is no news; else whoever copies its name would hold up its changes.
  const before = approved === undefined ? [] : likenessOf({ ...candidate, definition: approved }, known)
  const old = new Set(before.map(({ key }) => key))
  return likenessOf(candidate, known).filter(({ key }) => !old.has(key))
}

/** Remembers what it found in a definition, by its hash: what a definition says by itself does not change. */
export function createExaminer(): Examiner {
  const remembered = new Map<string, readonly Reason[]>()

  function ownOf({ tool, definition, text, hash, isWhole }: Candidate): readonly Reason[] {
    const key = `${hash} ${isWhole}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    const found = [...(isWhole ? [] : [tooLarge]), ...examine({ tool, definition, text })]
    if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
    remembered.set(key, found)
    return found
  }

  return {
    async warningsOf(candidates, known) {
      const warnings: Reason[][] = []
      let chars = 0
      for (const candidate of candidates) {
        warnings.push([...ownOf(candidate), ...alikes(candidate, known)])
        // WHY: a small definition takes its time too.
        chars += candidate.text.length + 1_000
        if (chars < breathChars) continue
        chars = 0
        await others()
      }
      return warnings
    },
  }
}
