import { BoundedMap } from '../base/bounded-memory.ts'
import { callInTime } from '../base/callbacks.ts'
import { HaltError, messageOf } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { CheckOptions } from '../check/check-options.ts'
import {
  type CompileContext,
  compilePolicy,
  type CompiledPolicy,
  type GivenPolicy,
} from '../policy/compiled-policy.ts'
import { isSameRule } from '../policy/rule-compiler.ts'
import type { RequestView } from '../request/view.ts'

type Given = GivenPolicy | readonly GivenPolicy[]
type Found = readonly CompiledPolicy[] | undefined
/** The policies that a call may give instead of the limiter's own, and in addition to them. */
type Named = Pick<CheckOptions<never>, 'policy' | 'also'>
type Resolver = (request: never, context?: unknown) => unknown

// The number of policies from a resolver that `reset` can still find by name.
const MAX_ENTRIES = 10_000

/** The parts of a limiter that its source of policies uses. */
export interface PolicySourceParts {
  readonly context: CompileContext
  /** The longest time that a resolver may take, in milliseconds. */
  readonly timeout: number
  readonly warn: Warn
  /** Warns of durations that were probably meant as milliseconds. */
  readonly noticeMilliseconds?: ((whose: string, fields: object, warn: Warn) => void) | undefined
}

/** The source of a limiter's policies: a fixed list or a resolver. Compiles each policy once. */
export class PolicySource {
  readonly #parts: PolicySourceParts
  /** The fixed policies; undefined with a resolver. */
  readonly fixed: readonly CompiledPolicy[] | undefined
  readonly #resolver: Resolver | undefined
  readonly #fallback: readonly CompiledPolicy[] | undefined
  readonly #compiled = new WeakMap<object, CompiledPolicy>()
  readonly #lists = new WeakMap<object, readonly CompiledPolicy[]>()
  // Weak in both keys, because each call may pass a new list.
  readonly #joined = new WeakMap<
    readonly CompiledPolicy[],
    WeakMap<readonly CompiledPolicy[], readonly CompiledPolicy[]>
  >()
  readonly #known = new BoundedMap<CompiledPolicy>(MAX_ENTRIES)

  constructor(policy: Given | Resolver, fallback: Given | undefined, parts: PolicySourceParts) {
    this.#parts = parts
    this.#resolver = typeof policy === 'function' ? policy : undefined
    this.fixed = typeof policy === 'function' ? undefined : this.compile(policy)
    this.#fallback = fallback === undefined ? undefined : this.compile(fallback)
  }

  /** Every policy that this limiter has used. */
  compiled(): Iterable<CompiledPolicy> {
    return Array.from(this.#known, ([, policy]) => policy)
  }

  /** A policy that this limiter has used, by name. */
  named(name: string): CompiledPolicy | undefined {
    return this.#known.get(name)
  }

  /**
   * Whether all of some names are names of policies that this limiter has used. With a resolver, which may return further
   * policies later, one name of a policy that decides now is enough.
   */
  areNames(names: readonly string[], deciding: readonly CompiledPolicy[]): boolean {
    if (this.fixed === undefined) return names.some(name => deciding.some(policy => policy.name === name))
    return names.length > 0 && names.every(name => this.#known.get(name) !== undefined)
  }

  /** Compiles policies. Each distinct policy object and each distinct list is compiled once. */
  compile(policies: Given): readonly CompiledPolicy[] {
    let list = this.#lists.get(policies)
    if (list === undefined) {
      const given = (Array.isArray(policies) ? policies : [policies]) as readonly GivenPolicy[]
      if (given.length === 0) {
        throw new HaltError('HALT_E_POLICY', 'The list of policies is empty.', 'Give at least one policy.')
      }
      list = given.map(policy => this.#compileOne(policy))
      refuseDuplicates(list)
      this.#lists.set(policies, list)
    }
    return list
  }

  #compileOne(policy: GivenPolicy): CompiledPolicy {
    let compiled = typeof policy === 'object' && policy !== null ? this.#compiled.get(policy) : undefined
    if (compiled === undefined) {
      compiled = compilePolicy(policy, this.#parts.context)
      this.#parts.noticeMilliseconds?.(`"${compiled.name}"`, policy, this.#parts.warn)
      this.#compiled.set(policy, compiled)
    }
    if (this.#known.get(compiled.name) !== compiled) this.#known.set(compiled.name, compiled)
    return compiled
  }

  /**
   * Joins policies with additional ones, and returns the same list for the same two lists. An additional policy that collides
   * with one of the others is left out.
   */
  join(policies: readonly CompiledPolicy[], beside: Given): readonly CompiledPolicy[] {
    const also = this.compile(beside)
    let lists = this.#joined.get(policies)
    if (lists === undefined) this.#joined.set(policies, (lists = new WeakMap()))
    let joined = lists.get(also)
    if (joined === undefined) {
      const more = also.filter(policy => !policies.some(other => collides(policy, other)))
      lists.set(also, (joined = [...policies, ...more]))
    }
    return joined
  }

  /**
   * The policies that decide a request under the options of its call; undefined when the resolver fails and there is no
   * fallback.
   */
  policiesFor(view: Pick<RequestView, 'request' | 'context'>, named: Named): Found | Promise<Found> {
    if (this.fixed !== undefined && named.policy === undefined && named.also === undefined) return this.fixed
    const policies =
      named.policy === undefined ? this.#resolve(view.request, view.context) : this.compile(named.policy)
    if (policies !== undefined && 'then' in policies)
      return policies.then(found => this.#withAlso(found, named))
    return this.#withAlso(policies, named)
  }

  /**
   * The policies that decide for an identity.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver
   */
  forIdentity(named: Named): readonly CompiledPolicy[] {
    const policies = named.policy === undefined ? this.fixed : this.compile(named.policy)
    const found = this.#withAlso(policies, named)
    if (found !== undefined) return found
    throw new HaltError(
      'HALT_E_POLICY_REQUIRED',
      'The policies come from a resolver, and an identity is not a request.',
      'Give { policy }.',
    )
  }

  #withAlso(policies: Found, { also }: Named): Found {
    return policies === undefined || also === undefined ? policies : this.join(policies, also)
  }

  /** The policies for a request; undefined when the resolver fails and there is no fallback. */
  #resolve(request: unknown, context: unknown): Found | Promise<Found> {
    if (this.fixed !== undefined) return this.fixed
    return callInTime(
      () => (this.#resolver as Resolver)(request as never, context),
      this.#parts.timeout,
      given => this.#accept(given),
      (error: unknown) => this.#fail(error),
    )
  }

  #accept(given: unknown): readonly CompiledPolicy[] | undefined {
    try {
      if (typeof given !== 'object' || given === null) throw new Error('it returned no policy')
      return this.compile(given as Given)
    } catch (error) {
      return this.#fail(error)
    }
  }

  #fail(error: unknown): readonly CompiledPolicy[] | undefined {
    this.#parts.warn({
      code: 'HALT_W_POLICY_RESOLVER',
      message: `The policy resolver failed: ${messageOf(error)}.`,
      fix:
        this.#fallback === undefined
          ? 'Give a fallbackPolicy. Without one such requests get 503.'
          : 'The fallbackPolicy decides.',
    })
    return this.#fallback
  }
}

/** Whether two policies are the same: they have the same name, counter, limit, capacity and window. */
export function isSamePolicy(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a === b || (a.name === b.name && isSameRule(a.rule(''), b.rule('')))
}

/** Whether two policies cannot be in one group, because they have the same name or would charge the same counter twice. */
function collides(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a.name === b.name || a.rule('').counter === b.rule('').counter
}

/**
 * Rejects a group in which two policies have the same name or the same counter.
 *
 * @throws HaltError `HALT_E_DUPLICATE_POLICY`
 */
export function refuseDuplicates(compiled: readonly CompiledPolicy[]): void {
  const twin = compiled.find((policy, i) => compiled.slice(0, i).some(other => collides(policy, other)))
  if (twin === undefined) return
  throw new HaltError(
    'HALT_E_DUPLICATE_POLICY',
    `Two policies of one limiter are named "${twin.name}" or share its counter.`,
    'Give each policy its own name and counter. Two policies with one counter would charge it twice.',
  )
}
