/** Returns the key of the next check. */
export type NextKey = () => string

// The function behind toString('latin1', …), without its checks of the arguments.
interface Sliceable {
  latin1Slice(from: number, to: number): string
}

const LENGTH = 20

/** Key `i` of the benchmarks: 20 characters. */
export function keyAt(i: number): string {
  return `client-${String(i).padStart(LENGTH - 7, '0')}`
}

/** A public IPv4 address for `i` below 2^24. */
export function addressAt(i: number): string {
  return `11.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`
}

/** The same key each time. */
export function hotKey(key: string): NextKey {
  return () => key
}

/** Each key for 100 checks, then the next; for contestants that keep a log of admitted checks. */
export function hundreds(keys: readonly string[]): NextKey {
  let i = 0
  return () => keys[Math.floor(i++ / 100) % keys.length] as string
}

/**
 * `count` keys in a loop, each time as a new string from a Buffer, as an HTTP parser makes it. Its hash is not cached, and
 * it is not identical to an earlier string. The order is unrelated to that of insertion.
 */
export function freshKeys(count: number, name: (i: number) => string = keyAt): NextKey {
  const names = shuffled(count).map(name)
  const bytes = Buffer.from(names.join(''), 'latin1') as unknown as Sliceable
  const ends = new Uint32Array(count + 1)
  for (const [i, text] of names.entries()) ends[i + 1] = (ends[i] as number) + text.length
  let i = 0
  return () => {
    if (i === count) i = 0
    const from = ends[i++] as number
    return bytes.latin1Slice(from, ends[i] as number)
  }
}

/** 0 … count - 1 in a shuffled order that is the same in every run. */
export function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i)
  let state = 0x2545f491
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    const other = numbers[j] as number
    numbers[j] = numbers[i] as number
    numbers[i] = other
  }
  return numbers
}
