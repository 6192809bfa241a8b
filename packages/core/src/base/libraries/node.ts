// For Node. `ipaddr.js` takes a fifth as long to load as Halt, and a service with IPv4 clients never needs it.
import type ipaddr from 'ipaddr.js'

import type { Hashes } from './portable.ts'

interface Node {
  getBuiltinModule(name: 'module'): { createRequire(from: string): (name: string) => typeof ipaddr }
  getBuiltinModule(name: 'crypto'): unknown
}

declare const process: Node
declare const setImmediate: (call: () => void) => { unref(): void }
// The build writes `require` and `import` for these names. By their own names it would put something else in their place.
declare const hostRequire: ((name: 'ipaddr.js') => typeof ipaddr) | undefined
declare const hostImport: (name: 'ipaddr.js') => Promise<{ readonly default: typeof ipaddr }>

export function hashes(): Hashes | undefined {
  return undefined
}

let loaded: typeof ipaddr | undefined

export function addresses(): typeof ipaddr {
  return (loaded ??= load())
}

// An ES module has no `require` in Node. A bundler that ends up here has one, and puts `ipaddr.js` into its bundle.
function load(): typeof ipaddr {
  if (typeof hostRequire === 'function') return hostRequire('ipaddr.js')
  return process.getBuiltinModule('module').createRequire(import.meta.url)('ipaddr.js')
}

// Loads in a free turn of the event loop. Programs that collect the files of a deployment find `ipaddr.js` by the import.
export function prepare(): void {
  setImmediate(() => {
    process.getBuiltinModule('crypto')
    if (typeof hostRequire === 'function') addresses()
    else loadLater()
  }).unref()
}

function loadLater(): void {
  hostImport('ipaddr.js').then(
    found => void (loaded ??= found.default),
    () => {},
  )
}
