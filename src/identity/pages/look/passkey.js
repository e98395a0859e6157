/**
 * The part of passkeys that only a browser can do: asks the authenticator, and sends its answer with the form.
 * A button with `data-passkey` is shown where the browser can do it. `get` asks at the path in `data-from` what to ask for;
 * `create` has it in `data-options`.
 * Stops: nothing by itself; the server judges what comes back. Trusts: the page. Fails: with a sentence beside the button.
 */

/** @param {HTMLButtonElement} button @param {string} text */
function say(button, text) {
  const place = button.form.querySelector('[data-passkey-says]')
  if (place !== null) place.textContent = text
}

/** @param {HTMLButtonElement} button @param {string} name @param {string} value */
function fill(button, name, value) {
  button.form.elements.namedItem(name).value = value
}

/** @param {HTMLButtonElement} button */
async function asked(button) {
  if (button.dataset.options !== undefined) return JSON.parse(button.dataset.options)
  const response = await fetch(button.dataset.from, { cache: 'no-store', redirect: 'error' })
  if (!response.ok) throw new Error('this page is too old')
  const { state, options } = await response.json()
  fill(button, 'state', state)
  return options
}

/** @param {HTMLButtonElement} button */
async function run(button) {
  const options = await asked(button)
  const credential =
    button.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
  fill(button, 'answer', JSON.stringify(credential.toJSON()))
  // WHY: fields for the other way to prove oneself may be empty, which the browser would complain about.
  button.form.noValidate = true
  button.form.submit()
}

const words = {
  NotAllowedError: 'That was cancelled, took too long, or no passkey of yours is here. Try again.',
  InvalidStateError: 'This device holds one of your passkeys already.',
  SecurityError: 'Passkeys do not work at this address. Open the page under its name, not under a number.',
}

/** @param {HTMLButtonElement} button */
function offer(button) {
  button.hidden = false
  button.addEventListener('click', async () => {
    button.disabled = true
    say(button, '')
    try {
      await run(button)
    } catch (error) {
      say(button, words[error.name] ?? 'That did not work. Load the page again.')
      button.disabled = false
    }
  })
}

const canAsk = typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function'
for (const button of document.querySelectorAll('button[data-passkey]')) {
  if (canAsk) offer(button)
  else say(button, 'This browser cannot use passkeys here.')
}
