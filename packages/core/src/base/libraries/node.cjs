'use strict'
// For CommonJS in Node. As node.mjs, `ipaddr.js` is loaded when it is first needed.

exports.hashes = undefined

let ipaddr

exports.addresses = () => (ipaddr ??= require('ipaddr.js'))

// Loads in a free turn of the event loop.
exports.prepare = () => {
  setImmediate(() => {
    process.getBuiltinModule('crypto')
    exports.addresses()
  }).unref()
}
