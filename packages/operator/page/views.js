// @ts-check
import { byId } from './dom.js'

const VIEWS = ['now', 'find', 'force', 'history']

/** Shows the view that the address names, and hides the others. */
export function openView() {
  const asked = location.hash.slice(1)
  const name = VIEWS.includes(asked) ? asked : 'now'
  for (const view of VIEWS) byId(view).hidden = view !== name
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === `#${name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  // A chart that was hidden had no width.
  if (name === 'now') dispatchEvent(new Event('resize'))
}

/** Goes to a view. @param {string} name */
export function goTo(name) {
  location.hash = name
  openView()
}

addEventListener('hashchange', openView)
// 1 to 4 open the views, / the search: unless somebody writes.
addEventListener('keydown', event => {
  const isWriting = event.target instanceof Element && event.target.closest('input, select, textarea, dialog')
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return
  const view = VIEWS[Number(event.key) - 1]
  if (view !== undefined) goTo(view)
  if (event.key !== '/') return
  event.preventDefault()
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector('#search [name=id]'))
  goTo('find')
  field?.focus()
})
