import fc from 'fast-check'
import { expect, it } from 'vitest'

import { type Address, networkOf, parseBareAddress, prefixMask } from '../../src/request/address.ts'
import { NetworkTable, type Network } from '../../src/request/networks.ts'

const ipv4 = fc.ipV4().map(parse)
const ipv6 = fc.ipV6().map(parse)

function parse(text: string): Address {
  return parseBareAddress(text) as Address
}

function network(address: Address, prefix: number): Network {
  const { bits, version } = networkOf(address, prefix)
  return { version, bits, mask: prefixMask(prefix) }
}

function holds({ bits, mask }: Network, address: Address): boolean {
  return bits.every((word, i) => ((address.bits[i] as number) & (mask[i] as number)) === word)
}

it.each([
  ['IPv4', ipv4, 32],
  ['IPv6', ipv6.filter(({ version }) => version === 6), 128],
] as const)('a table of %s networks contains an address exactly if one of them does', (_, address, whole) => {
  const networks = fc.array(fc.tuple(address, fc.integer({ min: 1, max: whole })), { maxLength: 40 })
  fc.assert(
    fc.property(networks, fc.array(address, { minLength: 1 }), (given, strangers) => {
      const list = given.map(([each, prefix]) => network(each, prefix))
      const table = new NetworkTable(list)
      // Addresses of the networks themselves, and some of anywhere.
      for (const each of [...given.map(([own]) => own), ...strangers])
        expect(table.contains(each)).toBe(list.some(one => holds(one, each)))
    }),
  )
})
