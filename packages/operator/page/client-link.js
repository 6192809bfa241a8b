// @ts-check
import { button } from './dom.js'
import { findKey } from './find.js'

/** Makes a key that opens the client. @param {string} key */
export function clientLink(key) {
  return button(key, () => void findKey(key), 'key')
}
