// For a bundle that runs in Node. It has no node_modules beside it, so it holds `ipaddr.js`. Node has the hashes.
import ipaddr from 'ipaddr.js'

import type { Hashes } from './portable.ts'

export function hashes(): Hashes | undefined {
  return undefined
}

export function addresses(): typeof ipaddr {
  return ipaddr
}

export function prepare(): void {}
