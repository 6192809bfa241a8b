// For ES modules in Node. `ipaddr.js` takes a fifth as long to load as Halt, and a service with IPv4 clients never needs it.

export const hashes = undefined

let ipaddr

export const addresses = () => (ipaddr ??= load())

// An ES module has no `require` in Node. A bundler that ends up here has one, and puts `ipaddr.js` into its bundle.
function load() {
  if (typeof require === 'function') return require('ipaddr.js')
  return process.getBuiltinModule('module').createRequire(import.meta.url)('ipaddr.js')
}

// Loads in a free turn of the event loop. Programs that collect the files of a deployment find `ipaddr.js` by this import.
export function prepare() {
  setImmediate(() => {
    process.getBuiltinModule('crypto')
    import('ipaddr.js').then(found => (ipaddr ??= found.default)).catch(() => {})
  }).unref()
}
