// @ts-check
// Sets text only as text, so that no key, name or reason can become an element.

/** The element with an id. @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id))
}

/** Sets the text of the element with an id. @param {string} id @param {string} says */
export function text(id, says) {
  const element = byId(id)
  if (element.textContent !== says) element.textContent = says
  return element
}

/**
 * Makes an element. Its children are elements and texts; undefined ones are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {string} className @param {(Node | string | undefined)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, className = '', ...children) {
  const element = document.createElement(name)
  if (className !== '') element.className = className
  element.append(...children.filter(child => child !== undefined))
  return element
}

/** Makes a button. @param {string} says @param {() => void} onClick */
export function button(says, onClick, className = '') {
  const element = make('button', className, says)
  element.type = 'button'
  element.addEventListener('click', onClick)
  return element
}

/** Makes a badge. @param {string} says @param {'good' | 'bad' | ''} mood */
export function badge(says, mood = '') {
  return make('span', `badge ${mood}`, says)
}

/** Makes a row of a list, whose last part is its figure. @param {(Node | string | undefined)[]} parts */
export function row(...parts) {
  const figure = make('span', 'figure', parts.pop())
  return make('p', 'row', ...parts, figure)
}

/** Makes the head of a table. @param {readonly string[]} heads */
export function headOf(heads) {
  return make('thead', '', make('tr', '', ...heads.map(head => make('th', '', head))))
}

/** Makes a bar. @param {number} share how full it is, 0 to 1 @param {boolean} isLow */
export function bar(share, isLow) {
  const full = make('i')
  full.style.width = `${Math.round(100 * Math.max(0, Math.min(1, share)))}%`
  return make('div', isLow ? 'track low' : 'track', full)
}

/**
 * Fills a list, and leaves it alone if nothing has changed, so that the focus and a selection stay.
 * @param {string} id @param {unknown} data @param {() => Node[]} rows @param {string} none
 */
export function fill(id, data, rows, none) {
  const list = byId(id)
  const written = JSON.stringify(data)
  if (written === filled.get(list)) return
  filled.set(list, written)
  const made = rows()
  list.replaceChildren(...(made.length > 0 ? made : [make('li', 'none', none)]))
}

/** @type {WeakMap<HTMLElement, string>} */
const filled = new WeakMap()

/** The texts of a form's fields, without white space around them. @param {HTMLFormElement} form @returns {Record<string, string>} */
export function textsIn(form) {
  return Object.fromEntries(
    Array.from(new FormData(form), ([name, value]) => [name, typeof value === 'string' ? value.trim() : '']),
  )
}

/** Marks the pressed one of some buttons. @param {Iterable<Element>} buttons @param {Element} pressed */
export function press(buttons, pressed) {
  for (const one of buttons) one.setAttribute('aria-pressed', String(one === pressed))
}
