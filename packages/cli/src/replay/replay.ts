import { type Policy, type Decision, HaltError, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import type { LoggedRequest } from '../log/logged-request.ts'
import type { LimiterSettings } from '../limits/limits-file.ts'
import { type Candidate, candidatesFor } from './candidates.ts'
import { KeyTally } from './key-tally.ts'
import { LogClock } from './log-clock.ts'
import { noteOf, replayable } from './replayable.ts'
import { Timeline } from './timeline.ts'

/** The parts of a {@link Replay}. */
export interface ReplayOptions {
  /** The limits: options of a `RateLimiter` without its store. */
  readonly settings: LimiterSettings
  /** Returns the limits that are tried for a policy, each alone. At most 32. */
  readonly limitsFor: (policy: Policy) => readonly number[]
  /** The most keys of a policy that are counted. */
  readonly mostKeys: number
  /** Called with every decision. */
  readonly onDecision?: ((request: LoggedRequest, decision: Decision) => void) | undefined
}

/** One policy of a replay. */
export interface PolicyReplay {
  /** Undefined if the policy came from a function. */
  readonly limit: number | undefined
  readonly keys: KeyTally
  readonly candidates: readonly Candidate[]
  requests: number
  refused: number
}

const STRETCHES = 1000

/**
 * Decides the requests of a log as a limiter would have decided them. The clock shows the times of the log, so the result depends on
 * nothing else.
 */
export class Replay {
  readonly clock: LogClock = new LogClock()
  readonly timeline: Timeline = new Timeline(STRETCHES)
  /** By the policy's name, in the order of the policies. */
  readonly policies: Map<string, PolicyReplay> = new Map<string, PolicyReplay>()
  readonly notes: string[]
  allowed = 0
  refused = 0
  exempt = 0
  readonly #limiter: RateLimiter
  readonly #store: InMemoryStore
  readonly #options: ReplayOptions
  /** The policy, if there is only one and it counted the key of the decision. */
  readonly #lone: PolicyReplay | undefined

  /** @throws HaltError if a policy is wrong; `HALT_E_POLICY_MODULE` if a log can decide none of them */
  constructor(options: ReplayOptions) {
    const { policy, policies, notes } = replayable(options.settings)
    if (policy === undefined)
      throw new HaltError(
        'HALT_E_POLICY_MODULE',
        `No policy is left to replay. ${notes.join(' ')}`,
        'Give one that counts requests.',
      )
    this.notes = [...notes]
    this.#options = options
    this.#store = new InMemoryStore({ maxKeys: options.mostKeys, clock: this.clock.read })
    this.#limiter = new RateLimiter({
      ...options.settings,
      policy,
      store: this.#store,
      instances: 1,
      warn: warning => this.notes.push(noteOf(warning)),
    })
    for (const each of policies) this.policies.set(each.name, this.#start(each))
    const [only] = this.#limiter.policies
    const isLone = this.#limiter.policies.length === 1 && only?.shadow === 0 && !only.off
    this.#lone = isLone ? this.policies.get(only.name) : undefined
  }

  /** Decides the next request of the log. Synchronous unless a function of the policy is not. */
  add(request: LoggedRequest): void | Promise<void> {
    this.clock.advance(request.at)
    const decision = this.#limiter.checkView(request)
    if ('then' in decision) return decision.then(decided => this.#note(request, decided))
    this.#note(request, decision)
  }

  /** Whether counters were dropped because there were too many keys at once, so that the result is too low. */
  get isFull(): boolean {
    return this.#store.size >= this.#options.mostKeys
  }

  #note(request: LoggedRequest, decision: Decision): void {
    this.timeline.add(this.clock.now, decision.allowed)
    if (decision.allowed) this.allowed++
    else this.refused++
    this.#options.onDecision?.(request, decision)
    if (decision.reason === 'exempt') this.exempt++
    else if (this.#lone !== undefined) this.#count(this.#lone, decision.key, decision.allowed)
    else {
      const { verdicts } = decision
      for (const { policy, key, allowed } of verdicts) this.#count(this.#named(policy), key, allowed)
      // Refused by no counter: there is no key, or no policy.
      if (verdicts.length === 0) this.#count(this.#named(decision.policy), decision.key, decision.allowed)
    }
  }

  #count(policy: PolicyReplay, key: string, allowed: boolean): void {
    policy.requests++
    const at = policy.keys.add(key)
    if (!allowed) {
      policy.refused++
      policy.keys.refuse(at)
    }
    if (at < 0) return
    const { candidates } = policy
    for (let i = 0; i < candidates.length; i++)
      if (!(candidates[i] as Candidate).admits(at, this.clock.now)) policy.keys.mark(at, i)
  }

  #named(name: string): PolicyReplay {
    let found = this.policies.get(name)
    if (found === undefined) this.policies.set(name, (found = this.#start(undefined)))
    return found
  }

  #start(policy: Policy | undefined): PolicyReplay {
    const { mostKeys, limitsFor } = this.#options
    const candidates = policy === undefined ? [] : candidatesFor(this.#limiter, policy, limitsFor(policy))
    return { limit: policy?.limit, keys: new KeyTally(mostKeys), candidates, requests: 0, refused: 0 }
  }
}
