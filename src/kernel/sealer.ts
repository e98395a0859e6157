/** Authenticated encryption of small values, bound to the place they are kept in. */
export interface Sealer {
  /**
   * @param place where the value lives, e.g. `second_factors/secret/<row id>`; opening needs the same
   * @returns printable ASCII (base64url parts), safe in a header or a column
   */
  seal(plain: Uint8Array, place: string): string
  /** @returns the value, or undefined when it was altered, moved or sealed under another key */
  open(sealed: string, place: string): Uint8Array | undefined
}
