import { getIntrospectionQuery } from 'graphql'
import { describe, expect, it } from 'vitest'

import { servedBy } from './page.ts'

const url = servedBy('graphql-cost', ['graphql-cost', 'yoga', 'apollo'])

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly data?: { readonly users: readonly object[] } | null
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[]
}

describe.each([
  ['Yoga', () => `${url('yoga')}/graphql`],
  ['Apollo', () => url('apollo')],
])('docs/recipes/graphql-cost.md, %s', (_name, address) => {
  async function ask(user: string, query: string, variables: object = {}): Promise<Answer> {
    const response = await fetch(address(), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-User': user },
      body: JSON.stringify({ query, variables }),
    })
    const { status, headers } = response
    return { status, headers, ...((await response.json()) as object) }
  }

  /** The units that a user has left, of which this question takes one. */
  async function left(user: string): Promise<number> {
    const { headers } = await ask(user, '{ __typename }')
    return Number(headers.get('ratelimit-remaining'))
  }

  const QUERY = 'query ($first: Int!) { users(first: $first) { id friends(first: 3) { id } } }'

  it('the server reserves the most that a query may cost, and settles the objects that it gave', async () => {
    const { status, headers, data } = await ask('ann', QUERY, { first: 100 })
    expect([status, data?.users.length]).toEqual([200, 7])
    // A hundred users with three friends each.
    expect(headers.get('ratelimit-remaining')).toBe(String(1000 - 400))
    // It gave seven users with three friends each.
    expect(await left('ann')).toBe(1000 - 28 - 1)
  })

  it('the server refuses a query that the client cannot pay now with 429 and the wait, and charges nothing', async () => {
    const small = await ask('ben', QUERY, { first: 5 })
    expect(small.status).toBe(200)
    const refused = await ask('ben', QUERY, { first: 250 })
    expect([refused.status, refused.data ?? null]).toEqual([429, null])
    const [error] = refused.errors ?? []
    expect(error?.extensions).toMatchObject({ code: 'RATE_LIMITED', cost: 1000 })
    expect(error?.extensions).not.toHaveProperty('http')
    expect(refused.headers.get('retry-after')).toBe(String(error?.extensions['retryAfter']))
    expect(await left('ben')).toBe(1000 - 20 - 1)
  })

  it('the server refuses a query that can never pass with 400 and no wait', async () => {
    const refused = await ask('cid', QUERY, { first: 1000 })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([400, null])
    expect(refused.errors?.[0]?.message).toBe('The query may give 4000 objects. At most 1000 are allowed.')
    expect(await left('cid')).toBe(999)
  })

  it('a negative number does not make a query cheaper', async () => {
    const query = '{ a: users(first: -900) { id } b: users(first: 300) { friends(first: 3) { id } } }'
    expect((await ask('dan', query)).status).toBe(400)
  })

  it('an alias or a fragment hides no cost', async () => {
    const query = `{ a: users(first: 500) { ...f } b: users(first: 500) { ...f } } fragment f on User { friends(first: 1) { id } }`
    expect((await ask('eve', query)).errors?.[0]?.extensions).toMatchObject({ cost: 2000 })
  })

  it('a question about the schema passes, and is charged the objects of its answer', async () => {
    const { status, errors, data } = await ask('gus', getIntrospectionQuery())
    expect([status, errors]).toEqual([200, undefined])
    let objects = 0
    JSON.stringify(data, (key, value: unknown) => {
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      if (key !== '' && isObject) objects++
      return value
    })
    expect(await left('gus')).toBe(1000 - objects - 1)
  })

  it('an invalid query is charged nothing', async () => {
    expect((await ask('fay', '{ nothing }')).errors).toHaveLength(1)
    expect((await ask('fay', QUERY, { first: 'x' })).errors).toHaveLength(1)
    expect(await left('fay')).toBe(999)
  })
})
