import { LIMITERS } from './scenes.ts'

/** The number that a measurement found for each app, by `framework limiter scene`. */
export type Found = ReadonlyMap<string, number>

/** The number for an app; NaN if it was not measured. */
export function foundOf(found: Found, framework: string, limiter: string, scene: string): number {
  return found.get(`${framework} ${limiter} ${scene}`) ?? Number.NaN
}

/** What Halt adds, as a multiple of what the cheapest peer adds; NaN if a peer added nothing, because of noise. */
export function toCheapestPeer(added: Found, framework: string, scene: string): number {
  const least = Math.min(...ofPeers(added, framework, scene))
  return least > 0 ? foundOf(added, framework, 'halt', scene) / least : Number.NaN
}

/** The greatest number that a peer of Halt has. */
export function bestOfPeers(found: Found, framework: string, scene: string): number {
  return Math.max(...ofPeers(found, framework, scene))
}

function ofPeers(found: Found, framework: string, scene: string): number[] {
  const [, ...peers] = LIMITERS[framework] ?? []
  return peers.map(peer => foundOf(found, framework, peer, scene))
}
