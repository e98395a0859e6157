/**
 * Takes the key of a link out of the address into its field.
 * Stops: history and pictures of the screen from keeping it. Trusts: the page. Fails: the key is typed by hand.
 */
const key = location.hash.slice(1)
if (key !== '') {
  history.replaceState(null, '', location.pathname)
  document.getElementById('key').value = key
  document.getElementById('code').focus()
}
