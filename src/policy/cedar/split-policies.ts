/**
 * Where does each policy of a Cedar text begin and end?
 * Stops: a comment or a string that is taken for the end of a policy.
 * Trusts: nothing; whoever compiles what is split here has each part parsed by the engine, and all of them together.
 * Fails: what follows the last `;` is a part like any other, which the engine then does not read.
 * @see https://docs.cedarpolicy.com/policies/syntax-grammar.html
 */

/** One policy as written, without what stands before it. */
export interface PolicyPart {
  readonly text: string
  /** Of its first character, from 1. */
  readonly line: number
}

/**
 * What matters for the end of a policy: comments, strings, and the `;` outside of both. A string that does not end reaches
 * to the end of the text: looking for each of its quotes anew would take the square of its length.
 */
const marks = /\/\/[^\n]*|"(?:[^"\\]|\\.)*\\?(?:"|$)|;/gsu

/** What stands before the first word of a policy. */
const leading = /^(?:\s|\/\/[^\n]*)*/u

export function splitPolicies(text: string): PolicyPart[] {
  const parts: PolicyPart[] = []
  let [from, line, counted] = [0, 1, 0]
  const add = (end: number): void => {
    const start = from + (leading.exec(text.slice(from, end))?.[0].length ?? 0)
    for (; counted < start; counted += 1) if (text[counted] === '\n') line += 1
    if (start < end) parts.push({ text: text.slice(start, end), line })
    from = end
  }
  for (const mark of text.matchAll(marks)) if (mark[0] === ';') add(mark.index + 1)
  add(text.length)
  return parts
}

/** The place of a byte of a text in UTF-8, as the engine counts. Both from 1. */
export function placeOfByte(text: string, byte: number): { line: number; column: number } {
  const before = Buffer.from(text, 'utf8').subarray(0, byte).toString('utf8')
  const line = before.split('\n')
  return { line: line.length, column: (line.at(-1)?.length ?? 0) + 1 }
}
