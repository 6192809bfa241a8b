import { type HaltError, type LimiterPolicies, messageOf, type Warn, WeakList } from '@halt/core/gate'
import type { ControlState } from './control-state.ts'

/** How many beats the set of limiters must have stayed the same, because an application makes its limiters one after another. */
const CALM_BEATS = 2

/** Warns of entries that change nothing in this process: their policy is unknown here, or has no use for their numbers. */
export class PolicyWatch {
  readonly #limiters = new WeakList<LimiterPolicies>()
  readonly #warn: Warn
  #calmBeats = 0
  #checked: ControlState | undefined

  constructor(warn: Warn) {
    this.#warn = warn
  }

  /** Adds the policies of a limiter. They are held weakly. */
  add(policies: LimiterPolicies): void {
    this.#limiters.add(policies)
    this.#calmBeats = 0
    this.#checked = undefined
  }

  /** Whether a limiter of this process obeys the entries. */
  get hasLimiters(): boolean {
    for (const _ of this.#limiters) return true
    return false
  }

  /** Looks at the entries that hold now, once for each version. Called at each beat. */
  beat(state: ControlState | undefined): void {
    if (state === undefined || state === this.#checked || ++this.#calmBeats <= CALM_BEATS) return
    this.#checked = state
    const limiters = [...this.#limiters]
    if (limiters.length === 0 || limiters.some(({ fixed }) => fixed === undefined)) return
    const known = new Set(limiters.flatMap(policies => Array.from(policies.compiled(), ({ name }) => name)))
    const unknown = state.policies.filter(name => !known.has(name))
    if (unknown.length === 0) return
    this.#warn({
      code: 'HALT_W_CONTROL_POLICY',
      message: `An operator changed ${unknown.map(name => JSON.stringify(name)).join(', ')}, which no limiter of this process has.`,
      fix: `Check the name: the limiters have ${[...known].map(name => JSON.stringify(name)).join(', ')}. If another process has the policy, silence this warning.`,
    })
  }

  /** Warns of an entry whose numbers a policy cannot have. */
  misfit(policy: string, error: unknown): void {
    const { summary = messageOf(error) } = error as Partial<HaltError>
    this.#warn({
      code: 'HALT_W_CONTROL_NUMBERS',
      message: `An operator gave the policy "${policy}" numbers that it cannot have, so it keeps its own. ${summary}`,
      fix: 'Take the entry back, and give numbers that fit the algorithm of the policy.',
    })
  }
}
