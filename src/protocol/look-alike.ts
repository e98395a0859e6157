/** Names with a meaning, prepared for finding others that could be taken for them. */
export interface KnownNames {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

/** Characters that are not seen, or that a reader may drop: joiners, soft hyphens, white space, controls, the dot of İ. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{White_Space}\u0307]/gu
const plain = /^[!-~]*$/

/**
 * What a careless reader takes a name for: without regard to case, width and unseen characters, ended by a NUL.
 * Two names with one fold are look-alikes: `name`, `Name`, `ｎame`, `na\u00adme`; `task` and `taſk`; `id` and `ıd`.
 */
export function fold(name: string): string {
  if (plain.test(name)) return name.toLowerCase()
  const [seen = ''] = name.split('\u0000', 1)
  return seen.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(unseen, '')
}

/** WHY: some libraries read `meta` for `_meta`, and `request_id` for `requestId`. */
function foldKnown(name: string): string {
  return fold(name).replaceAll('_', '')
}

export function knownNames(...names: readonly string[]): KnownNames {
  return { exact: new Set(names), folded: new Set(names.map(foldKnown)) }
}

/** Whether a key is none of the known names, but another reader could take it for one. */
export function hasLookAlike(object: Record<string, unknown>, known: KnownNames): boolean {
  for (const key in object) {
    if (!known.exact.has(key) && known.folded.has(foldKnown(key))) return true
  }
  return false
}

const fewKeys = 12

/** Whether two keys of one object are look-alikes of each other. */
export function hasTwins(object: Record<string, unknown>): boolean {
  const keys = Object.keys(object)
  if (keys.length > fewKeys || !keys.every((key) => plain.test(key))) {
    return new Set(keys.map(fold)).size < keys.length
  }
  // WHY: folding a plain name keeps its length, and arguments of one length are few.
  return keys.some((key, index) => {
    for (let before = 0; before < index; before += 1) {
      const other = keys[before] ?? ''
      if (other.length === key.length && other.toLowerCase() === key.toLowerCase()) return true
    }
    return false
  })
}
