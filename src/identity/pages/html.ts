/**
 * How does text become markup? Through one template tag, which escapes whatever is put into it.
 * Stops: names, addresses and sentences of others from being read as markup, in text and in quoted attributes alike.
 * Trusts: the literal parts of the templates, which are written here and nowhere else.
 * Fails: at compile time on anything that is neither text nor markup.
 */

const made: unique symbol = Symbol('html')

/** Markup that the tag made. There is no other way to make it. */
export interface Html {
  readonly [made]: string
}

/** What may stand in a template: text is escaped, markup is kept, absence is nothing. */
export type Piece = string | number | Html | undefined | false | readonly Piece[]

const names: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }

function write(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (typeof piece === 'string') return piece.replace(/[&<>"']/g, (sign) => `&${names[sign]};`)
  if (typeof piece === 'number') return String(piece)
  return made in piece ? piece[made] : piece.map(write).join('')
}

/** Markup from a template. Attributes are to be quoted; an interpolated text cannot close the quotes. */
export function html(literal: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { [made]: literal.map((part, index) => part + write(pieces[index])).join('') }
}

/** The text of markup, to be sent. */
export function markupOf(markup: Html): string {
  return markup[made]
}
