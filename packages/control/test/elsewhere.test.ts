import { expect, it, onTestFinished } from 'vitest'

import { type HaltWarning, PenaltyManager, type Policy, QuotaManager, RateLimiter } from '@halt/core'
import { Control } from '../src/index.ts'
import type { Store } from '@halt/core/store'
import { fakeOutage } from '@halt/core/testing'
import { world } from '../../core/test/world.ts'

const policy: Policy = { name: 'per_user', limit: 5, window: 60, keyStrategy: 'user' }
const CODE = 'HALT_W_CONTROL_ELSEWHERE'

/** What a limiter and the managers on a store warn of, with a Control on another store. */
function warnedOf(counters: Store, document: Store): (string | undefined)[] {
  const control = new Control({ store: document, warn: () => {} })
  onTestFinished(() => control.close())
  const warned = (make: (warn: (warning: HaltWarning) => void) => unknown): string | undefined => {
    const found: string[] = []
    make(({ code }) => void found.push(code))
    return found.find(code => code === CODE)
  }
  return [
    warned(warn => new RateLimiter({ store: counters, policy, control, warn })),
    warned(warn => new QuotaManager(counters, { control, warn })),
    warned(warn => new PenaltyManager({ store: counters, control, warn })),
  ]
}

const SILENT = [undefined, undefined, undefined]
const WARNED = [CODE, CODE, CODE]

/** A store that tells a place. */
function at(...place: readonly unknown[]): Store {
  const { store } = world()
  return Object.assign(Object.create(store) as Store, {
    place,
    document: store.document!.bind(store),
    evaluate: store.evaluate.bind(store),
    forget: store.forget.bind(store),
  })
}

it('a limiter and the managers warn of a Control whose prefix, server or kind of store is another one', () => {
  expect(warnedOf(at('redis', 'a:', 'localhost:6379/0'), at('redis', 'b:', 'localhost:6379/0'))).toEqual(
    WARNED,
  )
  expect(warnedOf(at('redis', 'a:', 'localhost:6379/0'), at('redis', 'a:', 'localhost:6379/1'))).toEqual(
    WARNED,
  )
  const memory = (): Store => at('memory', {})
  expect(warnedOf(at('redis', 'a:'), memory())).toEqual(WARNED)
  expect(warnedOf(memory(), memory())).toEqual(WARNED)
})

it('nobody is warned where a store tells no place, or both tell one place', () => {
  const own = at('redis', 'a:', 'localhost:6379/0')
  expect(warnedOf(own, own)).toEqual(SILENT)
  expect(warnedOf(own, at('redis', 'a:', 'localhost:6379/0'))).toEqual(SILENT)
  // One of two clients does not tell its server.
  expect(warnedOf(own, at('redis', 'a:'))).toEqual(SILENT)
  expect(warnedOf(own, world().store)).toEqual(SILENT)
  const memory = at('memory', {})
  expect(warnedOf(fakeOutage(memory), memory)).toEqual(SILENT)
})

it('the warning names both stores', () => {
  const control = new Control({ store: at('redis', 'b:', 'db:6379/0'), warn: () => {} })
  onTestFinished(() => control.close())
  const warnings: HaltWarning[] = []
  void new RateLimiter({ store: at('memory', {}), policy, control, warn: one => void warnings.push(one) })
  expect(warnings.find(({ code }) => code === CODE)?.message).toBe(
    'The counters are in a memory store, and the Control is on another one: a redis store with the prefix "b:" at db:6379/0. An operator who acts on the store of the counters, as by the command halt, changes nothing here.',
  )
})

it('a store is told that a limiter obeys its document, and not of a script that only acts', () => {
  let told = 0
  const store = Object.assign(at('redis'), { obeys: () => void told++ })
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  expect(told).toBe(0)
  const limiter = new RateLimiter({ store, policy, control, warn: () => {} })
  onTestFinished(() => limiter.close())
  expect(told).toBe(1)
})
