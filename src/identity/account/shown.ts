/**
 * How do the lists of the security centre look? A heading, a sentence, entries with what can be done to each.
 * Stops: buttons that say the same for different things: each names what it ends.
 * Trusts: its callers for what is shown.
 * Fails: an empty list says so.
 */
import { html, type Html, type Piece } from '../pages/html.ts'
import type { PersonalCall } from '../pages/screen.ts'

/** What every section is given. */
export interface Shown {
  readonly call: PersonalCall
  readonly nowMs: number
  readonly publicUrl: string
}

export interface Section {
  readonly id: string
  readonly heading: string
  readonly lead: string
  readonly entries: readonly Html[]
  /** Said when there are no entries. */
  readonly none: string
}

export function section({ id, heading, lead, entries, none }: Section, ...rest: readonly Piece[]): Html {
  return html`<section class="panel wide" id="${id}" aria-labelledby="${id}-title">
    <h2 class="section-title" id="${id}-title">${heading}</h2>
    <p class="help">${lead}</p>
    ${
      entries.length === 0
        ? html`<p class="none">${none}</p>`
        : html`<ul class="entries">
            ${entries}
          </ul>`
    }
    ${rest}
  </section>`
}

export function entry({
  title,
  facts,
  action,
}: {
  title: Piece
  facts: readonly Piece[]
  action?: Html | undefined
}): Html {
  return html`<li class="entry">
    <div class="entry-text">
      <p class="entry-title">${title}</p>
      ${facts.map((fact) => html`<p class="entry-fact">${fact}</p>`)}
    </div>
    ${action}
  </li>`
}

/** A form that is one button. @param about what it does it to, for who does not see where the button stands */
export function button(
  call: PersonalCall,
  { to, label, about, fields }: { to: string; label: string; about?: Piece; fields: Readonly<Record<string, string>> },
): Html {
  return html`<form method="post" action="${to}">
    ${call.formField(to)}
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button type="submit" class="quiet small">
      ${label}${about !== undefined && html`<span class="unseen"> ${about}</span>`}
    </button>
  </form>`
}
