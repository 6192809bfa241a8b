import { isStrayPromise } from '../base/promises.ts'
import type { Address } from './address.ts'
import { parseNetworks } from './networks.ts'

/** A name for a set of networks: this machine, a link, the private networks, and Cloudflare's (a dated list). */
export type ProxyName = 'loopback' | 'linklocal' | 'private' | 'cloudflare'

/**
 * The proxies whose forwarding headers are believed: CIDRs, addresses and names, or a function. The function gets an address
 * and its hop; hop 0 is the socket peer.
 */
export type TrustedProxies =
  | readonly (ProxyName | (string & {}))[]
  | ((address: string, hop: number) => boolean)

/** Whether the options name any trusted proxy. */
export function isToldOfProxies({
  trustedProxies,
}: {
  readonly trustedProxies?: TrustedProxies | undefined
}): boolean {
  return typeof trustedProxies === 'function' || Boolean(trustedProxies?.length)
}

/**
 * Compiles the option into a test of one hop.
 *
 * @throws HaltError `HALT_E_TRUSTED_PROXIES`
 */
export function compileTrust(
  proxies: TrustedProxies | undefined,
): (address: Address, hop: number) => boolean {
  if (proxies === undefined) return () => false
  if (typeof proxies === 'function') {
    return (address, hop) => {
      try {
        // Only `true` counts: an async function returns a promise, which is truthy, and would trust every address.
        const trusted: unknown = proxies(address.text, hop)
        return isStrayPromise(trusted) ? false : trusted === true
      } catch {
        return false
      }
    }
  }
  const networks = parseNetworks(proxies, 'HALT_E_TRUSTED_PROXIES')
  return address => networks.contains(address)
}
