import { createHash, timingSafeEqual } from 'node:crypto'

const SHORTEST = 16

/** Checks the operator's token. */
export class Pass {
  readonly #digest: Buffer

  /** @throws Error if the token is too short */
  constructor(token: string) {
    if (token.length < SHORTEST)
      throw new Error(`The operator's token is too short: give ${SHORTEST} characters or more.`)
    this.#digest = digest(token)
  }

  /**
   * True if an `Authorization` header holds the token: as `Bearer`, or as the password of `Basic`, which browsers ask for.
   * Takes the same time for every wrong token.
   */
  admits(authorization: string | undefined): boolean {
    const [scheme = '', given = ''] = (authorization ?? '').split(' ')
    return timingSafeEqual(digest(tokenOf(scheme, given)), this.#digest)
  }

  /** The name that a browser asked for beside the token; `operator` without one. */
  nameIn(authorization: string | undefined): string {
    const [scheme = '', given = ''] = (authorization ?? '').split(' ')
    return (scheme.toLowerCase() === 'basic' && pairIn(given)[0]) || 'operator'
  }
}

function tokenOf(scheme: string, given: string): string {
  if (scheme.toLowerCase() !== 'basic') return scheme.toLowerCase() === 'bearer' ? given : ''
  return pairIn(given)[1]
}

/** The name and the password of `Basic`. */
function pairIn(given: string): [string, string] {
  const pair = Buffer.from(given, 'base64').toString('utf8')
  const at = pair.indexOf(':')
  return [pair.slice(0, Math.max(0, at)), pair.slice(at + 1)]
}

// A digest has the same length for every token.
function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
