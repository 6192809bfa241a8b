import type { DurableObjectNamespace, DurableObjectState } from '@cloudflare/workers-types'
import { RateLimiter } from '@halt/core'
import { expectTypeOf, test } from 'vitest'

import { DurableObjectStore, type HaltCounters, type ObjectState } from '../src/index.ts'

test('a binding of Cloudflare is a namespace, and so is one of its jurisdictions', () => {
  const namespace = {} as DurableObjectNamespace
  const waitUntil = (_work: Promise<unknown>): void => {}
  const store = new DurableObjectStore({ namespace, objects: 16, locationHint: 'weur', waitUntil })
  new DurableObjectStore({ namespace: namespace.jurisdiction('eu') })
  new RateLimiter({ store, policy: { name: 'p', limit: 5, window: 60 } })
})

test('the state of an object of Cloudflare fits HaltCounters', () => {
  expectTypeOf<DurableObjectState>().toExtend<ObjectState>()
  expectTypeOf<ConstructorParameters<typeof HaltCounters>>().toEqualTypeOf<[state: ObjectState]>()
})
