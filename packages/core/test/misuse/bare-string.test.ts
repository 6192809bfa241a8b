import { expect, it } from 'vitest'

import { type HaltWarning, type Policy, RateLimiter } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { START } from '../world.ts'

const CODE = 'HALT_W_BARE_STRING'

/** The warnings of a call that names its client. */
async function warnedOf(
  policy: Policy,
  identity: Parameters<RateLimiter['consume']>[0],
): Promise<HaltWarning[]> {
  const found: HaltWarning[] = []
  const store = new ReferenceStore(() => START)
  const limiter = new RateLimiter({ store, policy, warn: one => void found.push(one) })
  await limiter.consume(identity)
  await limiter.acquire(identity)
  return found.filter(({ code }) => code === CODE)
}

const perUser: Policy = { name: 'per_user', limit: 5, window: 60, keyStrategy: 'user' }

it('a bare string is warned of once where a policy counts requests under users or API keys', async () => {
  const found = await warnedOf(perUser, 'sk_live_1')
  expect(found.map(({ message }) => message)).toEqual([
    'A call names its client by a bare string, which is { custom } for a limiter. "per_user" counts requests under { user }, so the call has another counter.',
  ])
  expect(await warnedOf({ ...perUser, keyStrategy: 'api-key' }, '42')).toMatchObject([
    {
      fix: 'Write { apiKey } to share the counter of the requests, or { custom } if you mean a name of your own.',
    },
  ])
})

it('nobody is warned of an identity that says what it is, or where no policy counts users', async () => {
  expect(await warnedOf(perUser, { user: '42' })).toEqual([])
  expect(await warnedOf(perUser, { custom: 'nightly' })).toEqual([])
  expect(await warnedOf({ name: 'jobs', limit: 5, window: 60 }, 'nightly')).toEqual([])
  expect(await warnedOf({ ...perUser, keyExtractor: () => 'acme' }, 'acme')).toEqual([])
})
