let seed: number | undefined

/**
 * A 32-bit hash of a text. It only chooses the segment of a key. The seed is random per process, so that clients cannot
 * choose keys that all fall into one segment.
 */
export function hash(text: string): number {
  // Drawn at the first call, because some platforms give no random numbers while a module loads.
  seed ??= crypto.getRandomValues(new Uint32Array(1))[0]!
  let bits = seed
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
