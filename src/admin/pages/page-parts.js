/** @param {string} id @returns {any} the element; every id asked for is in setup.html */
export function part(id) {
  return document.getElementById(id)
}

/** The server's sentences are lower case without a full stop; people read them with both. @param {string} text */
function sentence(text) {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) ? upper(trimmed) : `${upper(trimmed)}.`
}

/** @param {string} text */
function upper(text) {
  return text.startsWith('`') ? text : text.charAt(0).toUpperCase() + text.slice(1)
}

/** Puts sentences into an element; what stands in backticks becomes code. @param {Element} element @param {string[]} texts */
export function say(element, ...texts) {
  const pieces = texts.filter(Boolean).map(sentence).join(' ').split('`')
  element.replaceChildren(
    ...pieces.map((piece, index) => {
      if (index % 2 === 0) return document.createTextNode(piece)
      const code = document.createElement('code')
      code.textContent = piece
      return code
    }),
  )
}

let toastTimer = 0

/** A short word on what just happened, also for screen readers. @param {string} text */
export function toast(text) {
  clearTimeout(toastTimer)
  part('toast').textContent = text
  toastTimer = setTimeout(() => part('toast').replaceChildren(), 2500)
}

/** @param {string} text @param {Element} shownIn selected instead when the clipboard is closed to us */
export async function copy(text, shownIn) {
  try {
    await navigator.clipboard.writeText(text)
    toast('Copied')
  } catch {
    getSelection()?.selectAllChildren(shownIn)
    toast('Selected: copy it with your keyboard')
  }
}

/** A word that is not broken at its hyphens. @param {string} word */
function unbroken(word) {
  const span = document.createElement('span')
  span.textContent = word
  return span
}

/** A command to run, with a button that copies it. @param {string} text */
export function command(text) {
  const line = document.createElement('p')
  line.className = 'command'
  const code = document.createElement('code')
  code.append(...text.split(' ').flatMap((word, index) => (index === 0 ? [unbroken(word)] : [' ', unbroken(word)])))
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy ${text}`)
  button.addEventListener('click', () => copy(text, code))
  line.append(code, button)
  return line
}

/** Marks a field as wrong and says why, or clears it when there is nothing to say. @param {string} id @param {string[]} texts */
export function fieldError(id, ...texts) {
  say(part(`${id}-error`), ...texts)
  if (texts.some(Boolean)) part(id).setAttribute('aria-invalid', 'true')
  else part(id).removeAttribute('aria-invalid')
}

const panels = ['loading', 'stopped', 'account', 'factor', 'codes', 'ready']
const steps = ['account', 'factor', 'codes', 'ready']

/** Shows one panel, marks the progress and moves the focus to the panel's heading. @param {string} id */
export function showPanel(id) {
  for (const panel of panels) part(panel).hidden = panel !== id
  const reached = steps.indexOf(id)
  part('progress').hidden = reached < 0
  for (const item of part('progress').children) {
    const at = steps.indexOf(item.dataset.step)
    item.classList.toggle('is-done', at < reached || id === 'ready')
    if (at === reached) item.setAttribute('aria-current', 'step')
    else item.removeAttribute('aria-current')
  }
  window.scrollTo(0, 0)
  part(id).querySelector('h1').focus()
}

/** Runs the work of a form once at a time. @param {string} formId @param {() => Promise<void>} work */
export function onSubmit(formId, work) {
  const form = part(formId)
  const button = form.querySelector('[type=submit]')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    try {
      await work()
    } finally {
      button.removeAttribute('aria-disabled')
    }
  })
}
