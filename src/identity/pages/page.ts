/**
 * How does an answer look in a browser? One frame, one look, and headers that leave a page nothing it does not need.
 * Stops: framing, foreign scripts and styles, forms that lead elsewhere, copies in caches, addresses told to other sites.
 * Trusts: markup of the template tag.
 * Fails: at compile time on text where markup is asked for.
 * @see ASVS 3.4; Content Security Policy Level 3; decision 0031
 */
import type { ServerResponse } from 'node:http'
import { html, type Html, markupOf, type Piece } from './html.ts'
import { lookAddress } from './look/look-files.ts'

export interface Page {
  /** 200 unless told. */
  readonly status?: number
  readonly title: string
  readonly body: Html
  readonly headers?: Readonly<Record<string, string>>
  /** Paths of modules below `/assets/`. A page without them runs no script at all. */
  readonly scripts?: readonly string[]
  /** Beside the frame's line: where one is on this page, or who is signed in. */
  readonly rail?: Html
  /** Origins or schemes that an answer to a form of this page may lead to. */
  readonly formsLeadTo?: readonly string[]
  /**
   * Whether the window that opened this page keeps its hold of it: clients may open a window for authorization and wait
   * for it to come back to them.
   */
  readonly isForClient?: boolean
}

/** Of every answer below the pages' paths, files and redirects too. */
export const plainHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // WHY: with `no-referrer` browsers send `Origin: null` with forms, which the doorway refuses.
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const

const nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** An origin, or a scheme with its colon; nothing that could begin another directive. */
const source = /^[a-z][a-z0-9+.-]*:(?:\/\/[a-z0-9.:[\]-]+)?$/i

function policyOf({ scripts = [], formsLeadTo = [] }: Page): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    ...(scripts.length === 0 ? [] : ["script-src 'self'", "connect-src 'self'"]),
    "base-uri 'none'",
    ['form-action', "'self'", ...formsLeadTo.filter((one) => source.test(one))].join(' '),
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

function opener(isForClient: boolean | undefined): Record<string, string> {
  return { 'cross-origin-opener-policy': isForClient === true ? 'unsafe-none' : 'same-origin' }
}

function documentOf({ title, body, rail, scripts = [] }: Page): string {
  const whole = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <title>${title} · Castellan</title>
      <link rel="icon" href="${lookAddress('/assets/mark.svg')}" type="image/svg+xml" />
      <link rel="stylesheet" href="${lookAddress('/assets/castellan.css')}" />
      ${scripts.map((path) => html`<script type="module" src="${lookAddress(path)}"></script>`)}
    </head>
    <body>
      <a class="skip" href="#main">Skip to content</a>
      <div class="frame">
        <header class="rail">
          <p class="brand">
            <img src="${lookAddress('/assets/mark.svg')}" alt="" width="40" height="40" /><span>Castellan</span>
          </p>
          <p class="brand-line">One gate for every call your agents make.</p>
          ${rail}
          <p class="rail-note">
            This page was made by the Castellan you see in the address bar, and talks to nobody else.
          </p>
        </header>
        <main id="main" tabindex="-1">${body}</main>
      </div>
    </body>
  </html>`
  return `<!doctype html>\n${markupOf(whole)}\n`
}

/** Answers with a page. The answer to HEAD is the same without its body. */
export function sendPage(res: ServerResponse, page: Page): void {
  const text = documentOf(page)
  res.writeHead(page.status ?? 200, {
    ...plainHeaders,
    ...opener(page.isForClient),
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'content-security-policy': policyOf(page),
    'cache-control': 'no-store',
    ...page.headers,
  })
  res.end(text)
}

/** Leads to another page, by GET. @param isForClient as of the page it comes from */
export function sendOn(res: ServerResponse, location: string, isForClient = false): void {
  res.writeHead(303, {
    ...plainHeaders,
    ...opener(isForClient),
    location,
    'content-length': 0,
    'content-security-policy': nothing,
    'cache-control': 'no-store',
  })
  res.end()
}

/** A file that pages load. */
export function sendFile(
  res: ServerResponse,
  file: { readonly bytes: Uint8Array; readonly contentType: string },
): void {
  res.writeHead(200, {
    ...plainHeaders,
    'content-type': file.contentType,
    'content-length': file.bytes.byteLength,
    'content-security-policy': nothing,
    'cache-control': 'public, max-age=86400',
  })
  res.end(file.bytes)
}

/** One thing to read or do, with a heading. @param lead the sentence under the heading */
export function panel(heading: string, lead: Piece, ...rest: readonly Piece[]): Html {
  return html`<section class="panel">
    <h1>${heading}</h1>
    ${lead === undefined ? undefined : html`<p class="lead">${lead}</p>`} ${rest}
  </section>`
}

export interface CodeField {
  readonly isRequired?: boolean
  /** What a code is. */
  readonly help?: string
  /** Said below the label, after what a code is. */
  readonly hint?: string
  /** Ids of what else describes the field: the error of its form. */
  readonly describedBy?: string | undefined
  /** Further attributes. */
  readonly more?: Piece
}

/** Where one who has none leaves the field empty. */
export const emptyWithout = ' Leave it empty if you have none.'

const anyCode = 'Six digits of your authenticator, or a recovery code.'

/** The field for a code of an authenticator or a recovery code, the same on every form that asks for one. */
export function codeField({ isRequired = false, help = anyCode, hint = '', describedBy, more }: CodeField): Html {
  return html`<div class="field">
    <label for="code">Code</label>
    <p class="help" id="code-help">${help}${hint}</p>
    <input
      id="code"
      name="code"
      class="code"
      type="text"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck="false"
      maxlength="64"
      ${isRequired && html` required`}
      aria-describedby="code-help${describedBy !== undefined && ` ${describedBy}`}"
      ${more}
    />
  </div>`
}
