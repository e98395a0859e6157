/** A seeded source of choices: one seed, one run (mulberry32). */
export interface Random {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number
  /** True once in `times` on average. */
  oneIn(times: number): boolean
  pick<T>(list: readonly T[]): T
  /** Any bytes. */
  bytes(length: number): Buffer
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (list) => {
      const picked = list[below(list.length)]
      if (picked === undefined) throw new RangeError('there is nothing to pick from')
      return picked
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
