/**
 * Why is a tool hidden, and what does it take to approve it?
 *
 * Stops: an approval that passes over something nobody was told of.
 * Trusts: nothing that a definition says; what is quoted of it is cut.
 * Fails: nothing here can fail.
 */

/** Every kind of reason, and what it takes: `note` is only shown, `word` has to be named to approve, `never` cannot be approved. */
export const weights = {
  new: 'note',
  changed: 'note',
  moved: 'note',
  quarantined: 'note',
  rejected: 'note',
  'renamed-from': 'note',
  'same-name': 'note',
  mentions: 'note',
  'looks-like': 'word',
  'mixed-scripts': 'word',
  'hidden-text': 'word',
  'remote-reference': 'word',
  icon: 'word',
  'too-large': 'never',
  name: 'never',
  'mirrored-header': 'never',
} as const satisfies Readonly<Record<string, 'note' | 'word' | 'never'>>

export interface Reason {
  readonly kind: keyof typeof weights
  readonly weight: 'note' | 'word' | 'never'
  /** What names it when the tool is approved in spite of it: the kind, and the other tool where there is one. */
  readonly key: string
  /** One line, lower case. It may quote the definition. */
  readonly says: string
}

const longestQuoteChars = 160

/** What a definition says, cut to a length that fits a line. */
export function quote(text: string): string {
  return text.length > longestQuoteChars ? `${text.slice(0, longestQuoteChars).toWellFormed()}…` : text
}

/** @param of the other tool, as `<upstream>/<tool>` */
export function reason(kind: Reason['kind'], says: string, of?: string): Reason {
  return { kind, weight: weights[kind], key: of === undefined ? kind : `${kind}:${of}`, says }
}
