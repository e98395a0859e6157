/**
 * Is this one of the passwords that are tried first? Looks it up in the list that is shipped beside this file.
 * Stops credential stuffing with the best-known passwords, without asking anyone over a network.
 * Trusts the shipped file. Fails closed: without the file no password can be chosen.
 * @see ASVS 6.2.4; NIST SP 800-63B-4, section 3.1.1.2 (blocklist)
 */
import { readFileSync } from 'node:fs'

const file = new URL('./common-passwords.txt', import.meta.url)
let known: ReadonlySet<string> | undefined

/** The list, read at the first use: lower case, most common first. Lines that begin with `#` are about the list. */
export function commonPasswords(): ReadonlySet<string> {
  known ??= new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  )
  return known
}
