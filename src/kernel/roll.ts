/** Where something stands on a roll; for that roll alone. */
export interface Place<T> {
  readonly thing: T
  /** -1 once it has left. */
  at: number
}

/**
 * Things that are in at this moment, in no order; entering and leaving cost the same however many there are. For what
 * comes and goes with each request: a `Map` leaves its old tables behind, and each of them holds all that was in it until
 * the next full collection.
 */
export class Roll<T> {
  readonly #places: Place<T>[] = []

  get size(): number {
    return this.#places.length
  }

  enter(thing: T): Place<T> {
    const place = { thing, at: this.#places.length }
    this.#places.push(place)
    return place
  }

  leave(place: Place<T>): void {
    if (place.at === -1) return
    const last = this.#places.pop()
    if (last !== undefined && last !== place) {
      last.at = place.at
      this.#places[place.at] = last
    }
    place.at = -1
  }

  /** Those that are in at this moment; who leaves meanwhile stays in the list and has `at` -1. */
  list(): Place<T>[] {
    return [...this.#places]
  }
}
