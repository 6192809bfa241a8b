import type { NextKey } from '../keys.ts'

// The function behind toString('latin1', …), without its checks of the arguments.
interface Sliceable {
  latin1Slice(from: number, to: number): string
}

const LENGTH = 14
// A prime that divides no power of ten, so that its multiples reach every number below one.
const STRIDE = 7_368_787

/** Public IPv4 address `i` below 34 million. All have 14 characters, so that they can be cut from a buffer without a list of ends. */
function longAddressAt(i: number): string {
  const part = (divisor: number): number => 100 + (Math.floor(i / divisor) % 156)
  return `${11 + Math.floor(i / 156 ** 3)}.${part(156 ** 2)}.${part(156)}.${part(1)}`
}

/**
 * The first `count` addresses in turns, each time as a new string from a Buffer, as Node gives the address of a socket. The order
 * is unrelated to that of the numbers.
 */
export function freshAddresses(count: number): NextKey {
  const bytes = Buffer.alloc(count * LENGTH)
  for (let i = 0, place = 0; i < count; i++, place = (place + STRIDE) % count)
    bytes.write(longAddressAt(i), place * LENGTH, 'latin1')
  const source = bytes as unknown as Sliceable
  let at = 0
  return () => {
    if (at === bytes.length) at = 0
    return source.latin1Slice(at, (at += LENGTH))
  }
}
