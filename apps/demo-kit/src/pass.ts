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
}

function tokenOf(scheme: string, given: string): string {
  if (scheme.toLowerCase() !== 'basic') return scheme.toLowerCase() === 'bearer' ? given : ''
  const pair = Buffer.from(given, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}

// A digest has the same length for every token.
function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
