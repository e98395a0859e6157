/**
 * `/sign-in`: who is at this browser? Name, password and code on one page; one answer for all that is wrong.
 * Stops: a stranger's form from signing a browser in, a former session from living on, redirects to other sites.
 * Trusts: identity's sign-in, which counts, throttles and records each attempt.
 * Fails: with the same words for unknown names, wrong passwords and wrong codes; with the time to come back when one has to wait.
 * @see ASVS 6.3.8, 7.2.4
 */
import { isRefusal, type Refusal, type Sealer } from '#kernel'
import type { IdentitySettings } from '../parts.ts'
import type { SignedIn, SignInRequest } from '../sign-in/sign-in.ts'
import type { BrowserSessions } from './browser-session.ts'
import { html, type Html } from './html.ts'
import { readLocalPath } from './local-path.ts'
import { type Asker, readAsker } from './asker.ts'
import { codeField, emptyWithout, panel, sendOn, sendPage } from './page.ts'
import { refusalHeaders, refusalWords } from './problem-page.ts'
import type { Call, OpenScreen } from './screen.ts'
import { foreignName } from './words.ts'

/** Other ways to sign in than the form of this page. */
export interface SignInOptions {
  readonly providers: readonly { readonly name: string; readonly title: string }[]
  /** What a method puts above the form, with the modules it needs. */
  readonly passkeys?: { readonly body: Html; readonly scripts: readonly string[] } | undefined
}

export interface SignInParts {
  readonly sealer: Sealer
  readonly settings: Pick<IdentitySettings, 'secondFactor'>
  readonly browser: BrowserSessions
  signIn(request: SignInRequest): Promise<SignedIn | Refusal>
  signInOptions(call: Call, next: string | undefined): SignInOptions | Promise<SignInOptions>
}

interface Shown {
  readonly next: string | undefined
  /** As it was sent, to be sent again. */
  readonly sealedAsker: string | undefined
  readonly asker: Asker | undefined
  readonly typedName?: string
  readonly refusal?: Refusal
}

const path = '/sign-in'

function whoAsks({ asker }: Shown): Html | undefined {
  if (asker === undefined) return undefined
  return html`<p class="note">
    <strong>${foreignName(asker.name)}</strong> asks for access and gets its answer at
    <code>${foreignName(asker.redirectHost)}</code>. You decide after signing in.
  </p>`
}

function carried({ next, sealedAsker }: Shown): Html {
  return html`${next !== undefined && html`<input type="hidden" name="next" value="${next}" />`}
  ${sealedAsker !== undefined && html`<input type="hidden" name="asks" value="${sealedAsker}" />`}`
}

function otherWays({ providers }: SignInOptions, { next }: Shown): Html | undefined {
  if (providers.length === 0) return undefined
  const query = next === undefined ? '' : `?${new URLSearchParams({ next }).toString()}`
  return html`<section class="ways" aria-label="Other ways to sign in">
    ${providers.map(
      ({ name, title }) =>
        html`<p>
          <a class="button quiet" href="/sso/${encodeURIComponent(name)}/start${query}">Sign in with ${title}</a>
        </p>`,
    )}
  </section>`
}

function theForm(call: Call, shown: Shown, isCodeAsked: boolean): Html {
  const { refusal, typedName = '' } = shown
  const isWrong = refusal?.status === 401
  const described = refusal === undefined ? undefined : 'sign-in-error'
  const invalid = isWrong ? html` aria-invalid="true"` : undefined
  return html`<form method="post" action="${path}">
    ${call.formField(path)} ${carried(shown)}
    ${refusal !== undefined && html`<p class="form-error" id="sign-in-error" role="alert">${refusalWords(refusal)}</p>`}
    <div class="field">
      <label for="name">Name</label>
      <input
        id="name"
        name="name"
        type="text"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        required
        maxlength="256"
        value="${typedName}"
        aria-describedby="${described}"
        ${invalid}${typedName === '' && html` autofocus`}
      />
    </div>
    <div class="field">
      <label for="password">Password</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        required
        aria-describedby="${described}"
        ${invalid}${typedName !== '' && html` autofocus`}
      />
    </div>
    ${codeField({
      isRequired: isCodeAsked,
      ...(isCodeAsked ? {} : { hint: emptyWithout }),
      describedBy: described,
      more: invalid,
    })}
    <p class="actions"><button type="submit" class="primary">Sign in</button></p>
  </form>`
}

async function show(parts: SignInParts, call: Call, shown: Shown): Promise<void> {
  const { refusal, asker, next } = shown
  const present = (await call.present())?.principal
  const options = await parts.signInOptions(call, next)
  const already =
    present !== undefined &&
    html`<p class="note">
      You are signed in as <strong>${present.name}</strong>.
      <a href="${next ?? '/account'}">Go on as ${present.name}</a>
    </p>`
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Sign in',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    isForClient: asker !== undefined,
    scripts: options.passkeys?.scripts ?? [],
    body: panel(
      'Sign in',
      undefined,
      whoAsks(shown),
      already,
      options.passkeys?.body,
      theForm(call, shown, parts.settings.secondFactor === 'required'),
      otherWays(options, shown),
    ),
  })
}

function readShown({ sealer }: SignInParts, given: { get(name: string): string | null | undefined }): Shown {
  const next = readLocalPath(given.get('next'))
  const sealedAsker = given.get('asks') ?? undefined
  const asker = readAsker(sealer, sealedAsker, next)
  return { next, asker, sealedAsker: asker === undefined ? undefined : sealedAsker }
}

export function signInScreen(parts: SignInParts): OpenScreen {
  return {
    isFor: 'everybody',
    owns: (asked) => asked === path,
    get: (call) => show(parts, call, readShown(parts, call.query)),
    async post(call, fields) {
      const { req, res, visit } = call
      const shown = readShown(parts, fields)
      const name = fields.get('name') ?? ''
      const code = fields.get('code')?.trim() ?? ''
      const answer = await parts.signIn({
        name,
        password: fields.get('password') ?? '',
        code: code === '' ? undefined : code,
        address: visit.address,
        agent: req.headers['user-agent'],
      })
      if (isRefusal(answer)) return show(parts, call, { ...shown, typedName: name, refusal: answer })
      await parts.browser.start(res, req, answer)
      sendOn(res, shown.next ?? '/account', shown.asker !== undefined)
    },
  }
}
