import { createHash, timingSafeEqual } from 'node:crypto'

const SHORTEST = 16

/** Who may see what an operator sees: who has the token. */
export class Pass {
  readonly #digest: Buffer

  /** @throws Error for a token short enough to be guessed */
  constructor(token: string) {
    if (token.length < SHORTEST)
      throw new Error(`The operator's token is too short: give ${SHORTEST} characters or more.`)
    this.#digest = digest(token)
  }

  /**
   * Whether an `Authorization` header holds the token: as `Bearer`, or as the password of `Basic`, which browsers ask
   * for. Takes as long for any wrong one.
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

// Of equal length, whatever was given.
function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
