import type { Explanation } from '@halt/core'

import type { Lane } from './draw/lane.ts'
import { Levels } from './levels.ts'
import type { PlayPolicy, Setup } from './setup.ts'
import type { ClientCount, Side } from './side.ts'
import { ATTACKER } from './traffic.ts'

/** Follows one client on one side: what would happen to its next request. */
export class Watch {
  readonly side: Side
  explanation: Explanation | undefined
  lanes: readonly Lane[] = []
  readonly #policies: readonly PlayPolicy[]
  readonly #span: number
  #client: ClientCount | undefined
  #levels: readonly Levels[] = []

  constructor(side: Side, policies: readonly PlayPolicy[], span: number) {
    this.side = side
    this.#policies = policies
    this.#span = span
  }

  /** The counts and the last answer of the followed client; undefined before its first request. */
  get client(): ClientCount | undefined {
    return this.#client
  }

  /** Explains the next request of a client as of now. */
  async look(now: number, name: string | undefined): Promise<void> {
    const client = name === undefined ? undefined : this.side.clients.get(name)
    if (client !== this.#client) this.#levels = this.#policies.map(() => new Levels(this.#span))
    this.#client = client
    if (client === undefined) return
    this.explanation = await this.side.explain(client.last)
    this.lanes = this.explanation.policies.map((explained, i) => {
      const levels = this.#levels[i] as Levels
      const { capacity, window } = this.side.policies[i] as Side['policies'][number]
      levels.add(now, explained.before ?? capacity)
      return { explained, capacity, window, precision: this.#policies[i]?.precision ?? 10, levels }
    })
  }
}

/** The client that a set-up is about: the attacker if there is one, else the first that came. */
export function mainClient(side: Side | undefined, { traffic }: Setup): string | undefined {
  return traffic.kind === 'attacker' ? ATTACKER : side?.clients.keys().next().value
}
