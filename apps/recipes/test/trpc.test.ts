import {
  createTRPCClient,
  type HTTPBatchLinkOptions,
  httpBatchLink,
  type TRPCClient,
  TRPCClientError,
} from '@trpc/client'
import { describe, expect, it } from 'vitest'

import type { Router } from '../src/trpc.ts'
import { servedBy } from './page.ts'

type FetchEsque = NonNullable<HTTPBatchLinkOptions<never>['fetch']>

const url = servedBy('trpc')

/** A client of one user, and the responses that it got. */
function clientOf(user: string): { client: TRPCClient<Router>; responses: Response[] } {
  const responses: Response[] = []
  const ask: FetchEsque = async (input, init) => {
    const response = await fetch(input as string, init as RequestInit)
    responses.push(response.clone())
    return response
  }
  const link = httpBatchLink({ url: url('trpc'), headers: { 'X-User': user }, fetch: ask })
  return { client: createTRPCClient<Router>({ links: [link] }), responses }
}

describe('docs/recipes/trpc.md', () => {
  it('each call of a batch is its own charge', async () => {
    const { client, responses } = clientOf('ann')
    const names = ['a', 'b', 'c']
    const answers = await Promise.all(names.map(name => client.hello.query(name)))
    expect(responses).toHaveLength(1)
    expect(answers.map(({ text }) => text)).toEqual(['hello a', 'hello b', 'hello c'])
    expect(new Set(answers.map(({ left }) => left))).toEqual(new Set([17, 18, 19]))
  })

  it('a procedure costs what its meta says', async () => {
    expect(await clientOf('ben').client.report.mutate()).toEqual({ left: 10 })
  })

  it('a call with wrong input is charged too', async () => {
    const { client } = clientOf('dan')
    await expect(client.hello.query(1 as unknown as string)).rejects.toMatchObject({
      data: { code: 'BAD_REQUEST' },
    })
    expect((await client.hello.query('x')).left).toBe(18)
  })

  it('a batch that exceeds the limit gets an error for the rest of its calls, with the time to wait', async () => {
    const { client, responses } = clientOf('cid')
    const calls = Array.from({ length: 25 }, (_, i) => client.hello.query(`${i}`))
    const settled = await Promise.allSettled(calls)
    const errors = settled.flatMap(each => (each.status === 'rejected' ? [each.reason as unknown] : []))
    expect(errors).toHaveLength(5)
    const [error] = errors
    if (!(error instanceof TRPCClientError)) throw error
    const data = error.data as { code: string; httpStatus: number; retryAfter: number }
    expect(data).toMatchObject({ code: 'TOO_MANY_REQUESTS', httpStatus: 429 })
    expect(data.retryAfter).toBeGreaterThan(0)
    // Some calls passed, and others did not.
    expect(responses.map(({ status }) => status)).toEqual([207])
    expect(responses[0]?.headers.get('retry-after')).toBe(String(data.retryAfter))
  })

  it('a single refused call is answered with 429', async () => {
    const { client, responses } = clientOf('cid')
    for (const left of [10, 0]) expect(await client.report.mutate()).toEqual({ left })
    await expect(client.hello.query('again')).rejects.toThrow(/^Too many requests. Retry after \d+ s.$/)
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 429])
  })
})
