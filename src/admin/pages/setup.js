import { drawQr } from './draw-qr.js'
import { enrol, Problem } from './enrolment-api.js'
import { command, copy, fieldError, onSubmit, part, say, showPanel, toast } from './page-parts.js'

const leastChars = 8
/** From here on a password may stand alone, where the server allows that. */
const aloneChars = 15

/** What this page knows; nothing of it is stored. The token is in memory only. */
let link = { token: '', kind: 'setup', secondFactor: 'required' }
let recoveryCodes = []
let principalName = ''
let passkeyUrl = '/'
/** The last step may have been done although its answer was lost. */
let wasInterrupted = false

/** @param {string} title @param {string} text @param {string} next @param {string[]} commands */
function stop(badge, title, text, next, commands, isRetryable = false) {
  part('stopped-badge').textContent = badge
  part('stopped-title').textContent = title
  say(part('stopped-text'), text)
  say(part('stopped-next'), next)
  part('stopped-commands').replaceChildren(...commands.map(command))
  part('stopped-retry').hidden = !isRetryable
  showPanel('stopped')
}

function stopWithoutLink() {
  stop(
    'No link',
    'Open the link you were given',
    'this page works with a link that ends in a one-time key, and there is none in the address bar',
    'a new set-up link is printed each time Castellan starts, until the first administrator exists; or set it up in the terminal',
    ['npx castellan setup --terminal'],
  )
}

function stopWithDeadLink() {
  if (wasInterrupted) {
    stop(
      'Connection lost',
      'Your account may exist already',
      'the connection broke while it was being made, and the link is used up now',
      'sign in with the name, password and authenticator you chose; if that works, make new recovery codes',
      ['npx castellan login'],
    )
    return
  }
  stop(
    'Link not usable',
    'This link cannot be used any more',
    'it was used already, has expired, or was never valid; which of these it is, only the ledger says',
    'first set-up: start Castellan again and it prints a new link, good for 15 minutes. Invitation: ask for a new one',
    ['npx castellan up'],
  )
}

/** Problems that end the page, whatever step they come in. @param {Problem} problem @returns {boolean} handled */
function stopOn(problem) {
  if (problem.code !== 'identity.enrolment-invalid') return false
  stopWithDeadLink()
  return true
}

/** @param {unknown} error @returns {Problem} */
function problemOf(error) {
  if (error instanceof Problem) return error
  return new Problem({
    code: 'page.fault',
    title: 'this page ran into a mistake of its own',
    hint: 'open the link again',
  })
}

/** @param {Problem} problem */
function hintOf(problem) {
  const wait = problem.retryAfterSeconds
  return wait === undefined ? problem.hint : `${problem.hint}: ${wait} seconds`
}

/** Shows a problem at the field it is about, or above the form. @param {unknown} error @param {string} form @param {string[]} fields */
function showProblem(error, form, fields) {
  const problem = problemOf(error)
  if (stopOn(problem)) return
  const about = (field) => problem.errors.find((one) => one.pointer.startsWith(`#/body/${field}`))
  const named = fields.find((field) => about(field) || problem.code.startsWith(`identity.${field}-`))
  if (named === undefined) {
    say(part(`${form}-error`), problem.title, hintOf(problem))
    return
  }
  fieldError(named, about(named)?.detail ?? problem.title, about(named) ? '' : hintOf(problem))
  if (named === 'password') blameStrength()
  part(named).focus()
}

async function begin() {
  const token = location.hash.slice(1)
  if (token !== '') {
    // INVARIANT: the address bar, the history and pictures of the screen never keep the key.
    history.replaceState(null, '', location.pathname)
    link = { ...link, token }
  }
  if (link.token === '') return stopWithoutLink()
  showPanel('loading')
  try {
    const begun = await enrol('begin', { token: link.token })
    link = { ...link, kind: begun.kind, secondFactor: begun.secondFactor }
    welcome(begun.name)
  } catch (error) {
    const problem = problemOf(error)
    if (stopOn(problem)) return
    stop('Try again', upperFirst(problem.title), hintOf(problem), '', [], true)
  }
}

/** A long password that the server refused is not shown as a strong one. */
function blameStrength() {
  part('strength').dataset.level = '1'
  part('strength-text').textContent = ''
}

/** @param {string} text */
function upperFirst(text) {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** @param {string | undefined} name fixed by an invitation */
function welcome(name) {
  if (link.kind === 'invitation') {
    document.title = 'Join Castellan'
    part('account-title').textContent = 'You are invited'
    part('account-lead').textContent = 'Choose a password for your account, then add a second factor.'
    say(part('name-help'), 'what you will sign in with; set by the person who invited you')
  }
  part('name').readOnly = name !== undefined
  if (name !== undefined) part('name').value = name
  showPanel('account')
}

function rateLength() {
  const length = [...part('password').value].length
  const level = length === 0 ? 0 : length < leastChars ? 1 : length < aloneChars ? 2 : 3
  const missing = leastChars - length
  const texts = [
    `At least ${leastChars} characters.`,
    `${missing} more character${missing === 1 ? '' : 's'} needed.`,
    `Good together with a second factor. ${aloneChars} or more is better.`,
    'Long. That is what makes a password strong.',
  ]
  part('strength').dataset.level = String(level)
  if (part('strength-text').textContent !== texts[level]) part('strength-text').textContent = texts[level]
}

function togglePassword() {
  const input = part('password')
  const isShown = input.type === 'password'
  input.type = isShown ? 'text' : 'password'
  part('password-show').textContent = isShown ? 'Hide' : 'Show'
  part('password-show').setAttribute('aria-pressed', String(isShown))
}

async function choose() {
  const name = part('name').value.trim()
  const password = part('password').value
  fieldError('name', name === '' ? 'choose a name' : '')
  fieldError('password', password === '' ? 'choose a password' : '')
  say(part('account-error'))
  const empty = ['name', 'password'].find((id) => part(id).getAttribute('aria-invalid') === 'true')
  if (empty !== undefined) return part(empty).focus()
  try {
    const chosen = await enrol('choose', { token: link.token, name, password })
    showFactor(chosen)
  } catch (error) {
    showProblem(error, 'account', ['name', 'password'])
  }
}

/** @param {{ qrRows: string[], secret: string }} chosen */
function showFactor(chosen) {
  part('qr').replaceChildren(drawQr(chosen.qrRows))
  part('secret').textContent = chosen.secret.replaceAll(' ', '').replace(/(.{4})(?=.)/g, '$1 ')
  const mayStandAlone = [...part('password').value].length >= aloneChars
  part('factor-skip-box').hidden = link.secondFactor !== 'optional' || !mayStandAlone
  part('code').value = ''
  fieldError('code')
  say(part('factor-error'))
  showPanel('factor')
}

async function confirmCode() {
  const code = part('code').value.replace(/[\s-]/g, '')
  say(part('factor-error'))
  fieldError('code', /^\d{6}$/.test(code) ? '' : 'type the six digits that the app shows')
  if (!/^\d{6}$/.test(code)) return part('code').focus()
  await finish({ code })
}

/** @param {{ code?: string }} proof */
async function finish(proof) {
  try {
    const finished = await enrol('finish', { token: link.token, ...proof })
    principalName = finished.principalName
    recoveryCodes = finished.recoveryCodes
    passkeyUrl = finished.passkeyUrl
    part('password').value = ''
    link = { ...link, token: '' }
    if (recoveryCodes.length === 0) showReady()
    else showCodes()
  } catch (error) {
    wasInterrupted ||= problemOf(error).code === 'page.unreachable'
    showProblem(error, 'factor', ['code'])
    part('code').select()
  }
}

function showCodes() {
  part('codes-list').replaceChildren(
    ...recoveryCodes.map((text) => {
      const item = document.createElement('li')
      const code = document.createElement('code')
      code.textContent = text
      item.append(code)
      return item
    }),
  )
  window.addEventListener('beforeunload', warnOfLoss)
  showPanel('codes')
}

/** @param {BeforeUnloadEvent} event */
function warnOfLoss(event) {
  event.preventDefault()
}

function downloadCodes() {
  const text = `Castellan recovery codes of ${principalName} at ${location.host}\nEach works once.\n\n${recoveryCodes.join('\n')}\n`
  const anchor = document.createElement('a')
  anchor.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  anchor.download = `castellan-recovery-codes-${principalName}.txt`
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000)
  toast('Downloaded')
}

async function keepCodes() {
  const isKept = part('codes-kept').checked
  fieldError('codes-kept', isKept ? '' : 'copy or download them first, then tick the box: they are not shown again')
  if (!isKept) return part('codes-kept').focus()
  showReady()
}

function showReady() {
  window.removeEventListener('beforeunload', warnOfLoss)
  recoveryCodes = []
  part('codes-list').replaceChildren()
  part('secret').textContent = ''
  part('qr').replaceChildren()
  say(part('ready-lead'), `your name is \`${principalName}\`. The rest happens in your terminal`)
  part('ready-passkey').href = passkeyUrl
  const elsewhere = location.origin === 'http://localhost:8091' ? '' : ` --admin-url ${location.origin}`
  const connect = ['Connect a client', 'Or claude-code, cursor, vscode instead of inspector.', 'connect inspector']
  const next = [
    connect,
    ['Make one call through the gate', 'A tool of the demo server, step by step.', 'demo call'],
    ['See its record', 'What was called, by whom, and why it was allowed.', 'audit tail'],
  ]
  const shown = link.kind === 'invitation' ? [connect] : next
  part('ready-steps').replaceChildren(
    ...shown.map(([title, text, verb]) => nextStep(title, text, `npx castellan ${verb}${elsewhere}`)),
  )
  showPanel('ready')
}

/** @param {string} title @param {string} text @param {string} run */
function nextStep(title, text, run) {
  const item = document.createElement('li')
  const heading = document.createElement('h2')
  heading.textContent = title
  const words = document.createElement('p')
  words.textContent = text
  item.append(heading, words, command(run))
  return item
}

for (const id of ['name', 'password', 'code']) part(id).addEventListener('input', () => fieldError(id))
part('password').addEventListener('input', rateLength)
part('password-show').addEventListener('click', togglePassword)
part('secret-copy').addEventListener('click', () =>
  copy(part('secret').textContent.replaceAll(' ', ''), part('secret')),
)
part('factor-back').addEventListener('click', () => showPanel('account'))
part('factor-skip').addEventListener('click', () => finish({}))
part('codes-copy').addEventListener('click', () => copy(recoveryCodes.join('\n'), part('codes-list')))
part('codes-download').addEventListener('click', downloadCodes)
part('stopped-retry').addEventListener('click', begin)
onSubmit('account-form', choose)
onSubmit('factor-form', confirmCode)
onSubmit('codes-form', keepCodes)
window.addEventListener('hashchange', begin)
await begin()
