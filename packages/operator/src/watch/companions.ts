import type { PolicyVerdict } from '@halt/core'

import { tokenOf } from './token.ts'

/** Another key on which requests of a client were counted, and the last verdict on it. */
export interface CountedUnder {
  readonly policy: string
  readonly key: string
  readonly allowed: boolean
  readonly reason: string
  /** Unix milliseconds. */
  readonly at: number
}

/** A client, and the other keys on which its requests were counted. */
export interface CountedClient {
  /** Names the client. */
  readonly token: string
  readonly under: readonly CountedUnder[]
}

/** How many clients are remembered, and how many other keys of each. */
const MOST_CLIENTS = 2_000
const MOST_EACH = 8
/** How long an allowed request of a client is not noted again, in milliseconds. */
const REST_MS = 1_000

interface Client {
  at: number
  /** Made when somebody looks at a client. */
  token: string | undefined
  readonly under: Map<string, CountedUnder>
}

/**
 * Remembers which keys were counted together: the keys of the last clients, in bounded memory. A request of a user is often counted on
 * the company's key too, and nothing but the request tells which company that is.
 */
export class Companions {
  readonly #clients = new Map<string, Client>()

  /** @param now Unix milliseconds */
  note(verdicts: readonly PolicyVerdict[], now: number): void {
    const first = verdicts[0]?.key
    if (verdicts.every(({ key }) => key === first)) return
    const isAllowed = verdicts.every(({ allowed }) => allowed)
    const noted = new Set<string>()
    for (const { key } of verdicts) {
      if (noted.has(key)) continue
      noted.add(key)
      const known = this.#clients.get(key)
      // A busy client costs one look.
      if (known !== undefined && isAllowed && now - known.at < REST_MS) continue
      this.#noteOne(key, known ?? { at: now, token: undefined, under: new Map() }, verdicts, now)
    }
  }

  /** The latest first. */
  of(client: string): readonly CountedUnder[] {
    return [...(this.#clients.get(client)?.under.values() ?? [])].toReversed()
  }

  /** The same for a client that a token names. */
  ofToken(token: string): readonly CountedUnder[] {
    for (const [key, client] of this.#clients)
      if ((client.token ??= tokenOf(key)) === token) return this.of(key)
    return []
  }

  #noteOne(key: string, client: Client, verdicts: readonly PolicyVerdict[], now: number): void {
    client.at = now
    for (const { policy, key: other, allowed, reason } of verdicts) {
      if (other === key) continue
      const id = `${policy} ${other}`
      client.under.delete(id)
      client.under.set(id, { policy, key: other, allowed, reason, at: now })
    }
    drop(client.under, MOST_EACH)
    this.#clients.delete(key)
    this.#clients.set(key, client)
    drop(this.#clients, MOST_CLIENTS)
  }
}

/** Removes the oldest entries. */
function drop(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
