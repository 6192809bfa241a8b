import 'reflect-metadata'
import type { Policy } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'

/** The arguments of one `@RateLimit`: policies or their names, and whether they replace those of wider scopes. */
interface LimitList {
  readonly limits: readonly (string | Policy)[]
  readonly override: boolean
}

/** The metadata that our decorators store on a class or a handler. */
export interface LimitMetadata {
  readonly limits: readonly LimitList[]
  /** One list of names for each `@SkipRateLimit`. An empty list skips all policies. */
  readonly skips: readonly (readonly string[])[]
  readonly cost: GuardOptions['cost']
}

const LIMIT_METADATA = Symbol.for('halt.nest.limits')
const NONE: LimitMetadata = Object.freeze({ limits: [], skips: [], cost: undefined })

/** The metadata of a class, inherited metadata included, or of a handler. */
export function limitMetadataOf(holder: object | null | undefined): LimitMetadata {
  return (holder && (Reflect.getMetadata(LIMIT_METADATA, holder) as LimitMetadata | undefined)) ?? NONE
}

/** A decorator of a class, or of one of its handlers. */
export type LimitDecorator = ClassDecorator & MethodDecorator

/** Makes a decorator that adds metadata. */
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
