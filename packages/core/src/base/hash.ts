/**
 * Hashes a text to a number below 2^32, evenly spread: FNV-1a with the finaliser of MurmurHash3. Used to divide keys and to
 * estimate how many there are. The hash is predictable, so nothing that a client could profit from may depend on it.
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
