/**
 * A number below 2^32 for a text, the same each time and evenly spread: FNV-1a with MurmurHash3's finaliser. To divide
 * keys and to estimate how many there are; not secret, so for nothing that anybody might gain by.
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
