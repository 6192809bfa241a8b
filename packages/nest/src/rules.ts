import 'reflect-metadata'
import type { AnyPolicy } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'

/** One `@RateLimit`: policies or their names, and whether they stand instead of the wider ones. */
interface LimitRule {
  readonly limits: readonly (string | AnyPolicy)[]
  readonly override: boolean
}

/** What decorators say of a class or a handler. */
export interface Rules {
  readonly limits: readonly LimitRule[]
  /** One list of names for each `@SkipRateLimit`; an empty one skips all. */
  readonly skips: readonly (readonly string[])[]
  readonly cost: GuardOptions['cost']
}

const RULES = Symbol.for('halt.nest.rules')
const NONE: Rules = Object.freeze({ limits: [], skips: [], cost: undefined })

/** The rules of a class, inherited ones included, or of a handler. */
export function rulesOf(holder: object | null | undefined): Rules {
  return (holder && (Reflect.getMetadata(RULES, holder) as Rules | undefined)) ?? NONE
}

/** A decorator of a class, or of one of its handlers. */
export type RuleDecorator = ClassDecorator & MethodDecorator

/** Makes a decorator that adds to the rules. */
export function addRules(added: Partial<Rules>): RuleDecorator {
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder = descriptor === undefined ? target : (descriptor.value as object)
    const own = (Reflect.getOwnMetadata(RULES, holder) as Rules | undefined) ?? NONE
    const rules: Rules = {
      limits: [...own.limits, ...(added.limits ?? [])],
      skips: [...own.skips, ...(added.skips ?? [])],
      cost: added.cost ?? own.cost,
    }
    Reflect.defineMetadata(RULES, rules, holder)
  }
}
