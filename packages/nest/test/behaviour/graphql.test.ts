import type { Decision, Policy, RateLimiter } from '@halt/core'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import { type ExecutionContext, Injectable } from '@nestjs/common'
import {
  Args,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

import {
  HaltModule,
  InjectRateLimiter,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
  SkipRateLimit,
} from '../../src/index.ts'
import { countingStore, startApp } from '../app.ts'

const global: Policy = { name: 'global', limit: 5, window: 60 }

@ObjectType()
class Item {
  @Field(() => Int)
  id!: number
}

let added = 0
let endings: (() => void)[] = []

@Resolver(() => Item)
class ItemResolver {
  @Query(() => Int)
  remaining(@RateLimitDecision() decision: Decision) {
    return decision.remaining
  }

  @Query(() => [Item])
  items() {
    return Array.from({ length: 50 }, (_, id) => ({ id }))
  }

  @Query(() => Int)
  @SkipRateLimit()
  free() {
    return 0
  }

  @Query(() => Int)
  @RateLimitCost((_: unknown, context: ExecutionContext) => context.getArgByIndex<{ first: number }>(1).first)
  list(@Args('first', { type: () => Int }) first: number) {
    return first
  }

  @Mutation(() => Int)
  add() {
    return ++added
  }

  @ResolveField(() => String)
  plain(@Parent() { id }: Item) {
    return `item ${id}`
  }

  @ResolveField(() => String, { nullable: true })
  @RateLimit({ name: 'costly', limit: 2, window: 60 })
  costly(@Parent() { id }: Item) {
    return `costly ${id}`
  }

  @ResolveField(() => String, { nullable: true })
  @RateLimit()
  counted(@Parent() { id }: Item) {
    return `counted ${id}`
  }

  @Subscription(() => Int)
  ticks() {
    return ticks()
  }

  @Subscription(() => Int, { name: 'flights' })
  @RateLimit({ name: 'flights', limit: 1, algorithm: 'concurrency', ttl: 60 })
  flights() {
    return ticks()
  }
}

// Gives one value, and then nothing until the client leaves.
async function* ticks() {
  yield { ticks: 1, flights: 1 }
  await new Promise<void>(resolve => endings.push(resolve))
}

afterEach(() => {
  for (const end of endings) end()
  endings = []
  added = 0
})

function start(options: object, more: Partial<ApolloDriverConfig> = {}): Promise<string> {
  const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    graphiql: false,
    allowBatchedHttpRequests: true,
    subscriptions: { 'graphql-ws': true },
    ...more,
  })
  return startApp({ policy: global, ...options }, { imports: [graphql], providers: [ItemResolver] })
}

function ask(url: string, query: string | string[]): Promise<Response> {
  const body = Array.isArray(query) ? query.map(text => ({ query: text })) : { query }
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

describe('a GraphQL request', () => {
  it('a GraphQL request charges each of a hundred aliased mutations', async () => {
    const url = await start({})
    const response = await ask(
      url,
      `mutation { ${Array.from({ length: 100 }, (_, i) => `m${i}: add`).join(' ')} }`,
    )
    const { errors } = (await response.json()) as { errors: object[] }
    expect(added).toBe(5)
    expect(errors).not.toHaveLength(0)
    expect(errors[0]).toMatchObject({
      message: 'Too many requests. Please try again later.',
      extensions: {
        code: 'TOO_MANY_REQUESTS',
        error: 'rate_limit_exceeded',
        retry_after: expect.any(Number),
      },
    })
    expect((errors[0] as { extensions: object }).extensions).not.toHaveProperty(
      'stacktrace.0',
      expect.stringContaining('TypeError'),
    )
  })

  it('a GraphQL request charges each aliased query and each query of a batch', async () => {
    const url = await start({})
    const response = await ask(url, [
      '{ a: remaining b: remaining }',
      '{ remaining }',
      '{ a: remaining b: remaining c: remaining }',
    ])
    const answers = (await response.json()) as { data: Record<string, number> | null; errors?: object[] }[]
    const given = answers.flatMap(({ data }) => Object.values(data ?? {}))
    expect(given.toSorted((a, b) => a - b)).toEqual([2, 3, 4])
    expect(answers.filter(({ errors }) => errors !== undefined)).toHaveLength(1)
  })

  it('a GraphQL request gets the headers of its tightest field, also of a refusal', async () => {
    const url = await start({})
    const passed = await ask(url, '{ a: remaining b: remaining }')
    expect(passed.headers.get('ratelimit-remaining')).toBe('3')
    expect(passed.headers.get('retry-after')).toBeNull()
    const refused = await ask(url, '{ a: remaining b: remaining c: remaining d: remaining }')
    expect(refused.headers.get('ratelimit-remaining')).toBe('0')
    expect(refused.headers.get('retry-after')).not.toBeNull()
  })

  it('a field below the root is counted only if it has @RateLimit', async () => {
    const store = countingStore()
    const url = await start({ store }, { fieldResolverEnhancers: ['guards', 'interceptors'] })
    await ask(url, '{ items { id plain } }')
    expect(store.calls).toBe(1)
    const { data } = (await (await ask(url, '{ items { costly } }')).json()) as {
      data: { items: { costly: string | null }[] }
    }
    expect(data.items.filter(({ costly }) => costly !== null)).toHaveLength(2)
    const left = (await (await ask(url, '{ remaining }')).json()) as { data: { remaining: number } }
    expect(left.data.remaining).toBe(2)
  })

  it('a field below the root with @RateLimit() is counted by the global policy', async () => {
    const url = await start({}, { fieldResolverEnhancers: ['guards', 'interceptors'] })
    const { data } = (await (await ask(url, '{ items { counted } }')).json()) as {
      data: { items: { counted: string | null }[] }
    }
    // The root field took one unit of five.
    expect(data.items.filter(({ counted }) => counted !== null)).toHaveLength(4)
  })

  it('a GraphQL request is answered if a limiter gets its policy later from a feature module', async () => {
    @Injectable()
    class Search {
      @InjectRateLimiter('search') readonly limiter!: RateLimiter
    }
    const search = { name: 'search', limit: 1, window: 60 }
    const feature = HaltModule.forFeature({ policies: { search } })
    const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true })
    const imports = [{ module: class Feature {}, imports: [feature], providers: [Search] }, graphql]
    const url = await startApp({ policy: global }, { imports, providers: [ItemResolver] })
    expect(await (await ask(url, '{ remaining }')).json()).toEqual({ data: { remaining: 4 } })
  })

  it('a callback gets the arguments of a field, and may skip it', async () => {
    const url = await start({})
    await ask(url, '{ free list(first: 3) }')
    expect(await (await ask(url, '{ free remaining }')).json()).toMatchObject({ data: { remaining: 1 } })
  })

  it('chargeWhen gets the result of each field', async () => {
    const seen: unknown[] = []
    const chargeWhen = ({ statusCode, value }: { statusCode: number; value?: unknown }) => {
      seen.push([statusCode, value])
      return false
    }
    const url = await start({ chargeWhen })
    for (let i = 0; i < 4; i++) await ask(url, '{ a: remaining b: remaining }')
    expect(seen).toHaveLength(8)
    expect(seen[0]).toEqual([200, 4])
  })
})

interface Subscriber {
  readonly socket: WebSocket
  /** `next` or `error`. */
  readonly first: Promise<string>
  end(): void
}

/** Subscribes by the graphql-ws protocol. */
async function subscribe(url: string, query: string): Promise<Subscriber> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const first = new Promise<string>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send('{"type":"connection_init"}'))
    socket.on('message', data => {
      const { type, payload } = JSON.parse((data as Buffer).toString()) as {
        type: string
        payload?: { errors?: object }
      }
      if (type === 'connection_ack')
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
      else resolve(payload?.errors === undefined ? type : 'error')
    })
  })
  return { socket, first, end: () => socket.terminate() }
}

describe('a subscription', () => {
  it('a subscription is charged by the address of its socket', async () => {
    const seen: unknown[] = []
    const telemetry = { onAllowed: (key: string) => void seen.push(key) }
    const url = await start({ policy: { ...global, limit: 2 }, telemetry })
    const all = await Promise.all([1, 2, 3].map(() => subscribe(url, 'subscription { ticks }')))
    expect((await Promise.all(all.map(({ first }) => first))).toSorted()).toEqual(['error', 'next', 'next'])
    expect(seen).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
    for (const { end } of all) end()
  })

  it('a subscription counts as in flight until it ends', async () => {
    const url = await start({ policy: { ...global, limit: 100 } })
    const one = await subscribe(url, 'subscription { flights }')
    expect(await one.first).toBe('next')
    const two = await subscribe(url, 'subscription { flights }')
    expect(await two.first).toBe('error')
    one.end()
    two.end()
    await expect
      .poll(async () => {
        const again = await subscribe(url, 'subscription { flights }')
        const first = await again.first
        again.end()
        return first
      })
      .toBe('next')
  })
})
