/**
 * A list in an order that a seed gives, the same on each machine.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {number} seed
 * @returns {T[]}
 */
export function shuffled(list, seed) {
  const order = [...list]
  let state = seed >>> 0
  // Mulberry32.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  for (let i = order.length - 1; i > 0; i--) {
    const at = Math.floor(next() * (i + 1))
    const moved = /** @type {T} */ (order[at])
    order[at] = /** @type {T} */ (order[i])
    order[i] = moved
  }
  return order
}
