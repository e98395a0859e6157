/**
 * Which policies are compiled at once in less time than a thread takes to start?
 * Stops: a policy that looks small, by the length of its text or the number of its rules alone, from holding the thread.
 * Trusts: the limits of roles and files.
 * Fails: what is not certainly small is not.
 */
import type { PolicySource } from '../source.ts'

/** The most that is small. */
export const small = { rules: 30, characters: 16_384 }

/** Whether rules and characters, of grants too, are both few. */
export function isSmall({ roles, files }: PolicySource): boolean {
  let [rules, characters] = [0, 0]
  for (const { text } of files) {
    characters += text.length
    if (characters <= small.characters) rules += text.split(';').length - 1
  }
  for (const { grants } of roles) {
    rules += grants.length
    for (const { resources, when = '' } of grants) {
      characters += when.length
      for (const resource of resources) characters += resource.length
    }
  }
  return rules <= small.rules && characters <= small.characters
}
