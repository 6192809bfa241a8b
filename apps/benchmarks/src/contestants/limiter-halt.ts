import { type Policy, type Decision, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { addressAt } from '../keys.ts'
import type { MemoryContestant } from './contestant.ts'
import { headersWith, NodeRequest, RoutedRequest } from './node-request.ts'

type Limiter = RateLimiter<NodeRequest>
type Ask = (key: string) => Promise<Decision>

interface Setup {
  readonly name: string
  /** The names of its policies, which are alike. Default: one policy. */
  readonly policies?: readonly string[]
  /** Whether the last of them is a monthly quota. */
  readonly hasQuota?: boolean
  readonly fields?: Pick<Policy<NodeRequest>, 'keyStrategy' | 'keyExtractor' | 'scope'>
  readonly keys?: MemoryContestant['keys']
  /** Makes the function that is measured. */
  readonly way: (limiter: Limiter) => Ask
  readonly prepare?: (limiter: Limiter) => Ask
}

function halt({
  name,
  policies = ['api'],
  hasQuota,
  fields,
  keys,
  way,
  prepare,
}: Setup): MemoryContestant<Decision> {
  return {
    name,
    answer: 'token bucket',
    isAsync: true,
    ...(keys === undefined ? {} : { keys }),
    open({ limit, windowMs }) {
      const policy = policies.map((each, i): Policy<NodeRequest> => {
        const common = { ...fields, name: each, limit }
        return hasQuota === true && i === policies.length - 1
          ? { ...common, period: 'monthly' }
          : { ...common, window: `${windowMs}ms` }
      })
      const limiter: Limiter = new RateLimiter({ store: new InMemoryStore({ maxKeys: 4_000_000 }), policy })
      return {
        ask: way(limiter),
        ...(prepare === undefined ? {} : { prepare: prepare(limiter) }),
        admits: decision => decision.allowed,
      }
    },
  }
}

const THREE = ['first', 'second', 'third']
const ADDRESS = '11.22.33.44'

const check = (limiter: Limiter): Ask => {
  return address => limiter.check(new NodeRequest(address))
}
const consume = (limiter: Limiter): Ask => {
  return key => limiter.consume(key)
}

/**
 * Checks with the key in a header, from an address of its own. The headers of a hot key are made once, because it is the parser that
 * makes them.
 */
function byHeader(name: string): (limiter: Limiter) => Ask {
  return limiter => {
    let last = ''
    let headers = headersWith({})
    let address = ADDRESS
    return key => {
      if (key !== last) {
        headers = headersWith({ [name]: (last = key) })
        address = addressAt(Number(key.slice(-7)))
      }
      return limiter.check(new NodeRequest(address, headers))
    }
  }
}

const ROUTES = Array.from({ length: 10 }, (_, i) => `/api/items-${i}/:id`)

/** Checks of ten routes in turn. In a round over all keys, where there are a multiple of ten, each key has one route. */
function byRoute(limiter: Limiter): Ask {
  let i = 0
  return address => limiter.check(new RoutedRequest(address, ROUTES[i++ % ROUTES.length] as string))
}

export const checkAddress: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), by address',
  keys: 'addresses',
  way: check,
})

export const checkUser: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), by user',
  fields: { keyStrategy: 'user' },
  way: limiter => id => limiter.check(new NodeRequest(ADDRESS, undefined, { id })),
})

/** As by default, the key is not verified, so the allowance of its address is counted in the same step. */
export const checkApiKey: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), by API key',
  fields: { keyStrategy: 'api-key' },
  way: byHeader('x-api-key'),
})

export const checkExtractor: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), by keyExtractor',
  fields: { keyExtractor: ({ headers }) => headers['x-tenant'] },
  way: byHeader('x-tenant'),
})

export const checkRoute: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), by address and route',
  keys: 'addresses',
  fields: { scope: 'route' },
  way: byRoute,
})

export const checkThree: MemoryContestant<Decision> = halt({
  name: 'limiter.check(request), three policies by address',
  keys: 'addresses',
  policies: THREE,
  way: check,
})

export const consumeKey: MemoryContestant<Decision> = halt({ name: 'limiter.consume(key)', way: consume })

export const consumeThree: MemoryContestant<Decision> = halt({
  name: 'limiter.consume(key), three policies',
  policies: THREE,
  way: consume,
})

export const consumeQuota: MemoryContestant<Decision> = halt({
  name: 'limiter.consume(key), two policies and a monthly quota',
  policies: THREE,
  hasQuota: true,
  way: consume,
})

/** Reads a counter that was charged once. */
export const peekKey: MemoryContestant<Decision> = halt({
  name: 'limiter.peek(key)',
  fields: { keyExtractor: ({ headers }) => headers['x-tenant'] },
  way: limiter => key => limiter.peek(key),
  prepare: consume,
})
