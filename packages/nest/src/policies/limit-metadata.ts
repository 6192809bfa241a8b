import 'reflect-metadata'
import type { AnyPolicy } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'

/** One `@RateLimit`: policies or their names, and whether they stand instead of the wider ones. */
interface LimitList {
  readonly limits: readonly (string | AnyPolicy)[]
  readonly override: boolean
}

/** What decorators say of a class or a handler. */
export interface LimitMetadata {
  readonly limits: readonly LimitList[]
  /** One list of names for each `@SkipRateLimit`; an empty one skips all. */
  readonly skips: readonly (readonly string[])[]
  readonly cost: GuardOptions['cost']
}

const LIMIT_METADATA = Symbol.for('halt.nest.limits')
const NONE: LimitMetadata = Object.freeze({ limits: [], skips: [], cost: undefined })

/** The rules of a class, inherited ones included, or of a handler. */
export function limitMetadataOf(holder: object | null | undefined): LimitMetadata {
  return (holder && (Reflect.getMetadata(LIMIT_METADATA, holder) as LimitMetadata | undefined)) ?? NONE
}

/** A decorator of a class, or of one of its handlers. */
export type LimitDecorator = ClassDecorator & MethodDecorator

/** Makes a decorator that adds to the rules. */
export function addLimitMetadata(added: Partial<LimitMetadata>): LimitDecorator {
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder = descriptor === undefined ? target : (descriptor.value as object)
    const own = (Reflect.getOwnMetadata(LIMIT_METADATA, holder) as LimitMetadata | undefined) ?? NONE
    const metadata: LimitMetadata = {
      limits: [...own.limits, ...(added.limits ?? [])],
      skips: [...own.skips, ...(added.skips ?? [])],
      cost: added.cost ?? own.cost,
    }
    Reflect.defineMetadata(LIMIT_METADATA, metadata, holder)
  }
}
