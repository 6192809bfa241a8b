import { describe, expect, it } from 'vitest'

import { type HeaderBag, type Policy, presets, type RequestView } from '../../src/index.ts'
import { makeDigest } from '../../src/databases/index.ts'
import { admitted, by, CLIENT, keyed, type Options, view, world } from '../world.ts'

const SECRET_KEY = 'sk_live_do_not_tell'
const DIGESTED = `api-key:#${makeDigest()(SECRET_KEY)}`
/** The key that a request is counted under. */
async function keyOf(
  keyStrategy: Policy['keyStrategy'],
  request: RequestView,
  options?: Options,
): Promise<string> {
  const policy = { name: 'p', limit: 2, window: 60, keyStrategy, exemptPrivateIps: false } as Policy
  return (await world().limiter(policy, options).check(request)).key
}

describe('the user of a request', () => {
  it.each([
    [{ user: { id: 42 } }, 'user:42'],
    [{ user: { id: 0 } }, 'user:0'],
    [{ user: { id: '0' } }, 'user:0'],
    [{ user: { id: 7n } }, 'user:7'],
    [{ user: { sub: 'auth0|7' } }, 'user:auth0|7'],
    [{ user: { id: '', sub: 's' } }, 'user:s'],
    [{ userId: 9 }, 'user:9'],
    [{ user: { id: '__proto__' } }, 'user:__proto__'],
    [{ user: { id: {} } }, `ip:${CLIENT}`],
    [{ user: { id: Symbol('x') } }, `ip:${CLIENT}`],
    [{ user: null }, `ip:${CLIENT}`],
    [{ user: 'bob' }, `ip:${CLIENT}`],
    [null, `ip:${CLIENT}`],
    [undefined, `ip:${CLIENT}`],
  ])('the user of the request %o gives the key %s', async (request, key) => {
    expect(await keyOf('user', view({ request }))).toBe(key)
  })

  it('the user comes from userId instead of from the request', async () => {
    expect(await keyOf('user', by(42), { userId: () => 7 })).toBe('user:7')
    expect(await keyOf('user', by(42), { userId: () => undefined })).toBe(`ip:${CLIENT}`)
  })

  it('the user comes from the adapter’s view if it is not on the request', async () => {
    expect(await keyOf('user', view({ user: { id: 5 } }))).toBe('user:5')
    expect(await keyOf('user', view({ user: { sub: 'x' } }))).toBe('user:x')
  })

  it('a user that cannot be read counts as missing, and the request is decided', async () => {
    const request = {
      get user(): never {
        throw new Error('no session')
      },
    }
    expect(await keyOf('user', view({ request }))).toBe(`ip:${CLIENT}`)
    expect(
      await keyOf('user', view(), {
        userId: () => {
          throw new Error('no session')
        },
      }),
    ).toBe(`ip:${CLIENT}`)
  })
})

describe('the API key of a request', () => {
  it.each([
    [{ 'x-api-key': SECRET_KEY }, DIGESTED],
    [{ authorization: `Bearer ${SECRET_KEY}` }, DIGESTED],
    [{ authorization: `bearer  ${SECRET_KEY}` }, DIGESTED],
    [{ authorization: `Token ${SECRET_KEY}` }, DIGESTED],
    [{ authorization: `ApiKey ${SECRET_KEY}` }, DIGESTED],
    [{ authorization: SECRET_KEY }, DIGESTED],
    [{ 'x-api-key': ' ', authorization: SECRET_KEY }, DIGESTED],
    [{ 'x-api-key': SECRET_KEY, authorization: 'Bearer other' }, DIGESTED],
    [{ 'x-api-key': [SECRET_KEY, 'other'] }, DIGESTED],
    [{ authorization: 'Basic dXNlcjpwYXNz' }, `ip:${CLIENT}`],
    [{ authorization: 'Digest username="bob"' }, `ip:${CLIENT}`],
    [{ authorization: 'Bearer ' }, `ip:${CLIENT}`],
    [{ authorization: 'Bearer' }, `ip:${CLIENT}`],
    [{ authorization: '' }, `ip:${CLIENT}`],
    [{}, `ip:${CLIENT}`],
  ])('the API key in the headers %o gives the key %s', async (headers, key) => {
    expect(await keyOf('api-key', view({ headers: headers as HeaderBag }))).toBe(key)
  })

  it('the API key is found in Fetch headers too', async () => {
    expect(await keyOf('api-key', view({ headers: new Headers({ 'X-API-Key': SECRET_KEY }) }))).toBe(DIGESTED)
  })

  it('the API key comes verified from apiKey, and never from the headers if apiKey is given', async () => {
    expect(await keyOf('api-key', view(), { apiKey: () => SECRET_KEY })).toBe(DIGESTED)
    expect(await keyOf('api-key', keyed('invented'), { apiKey: () => undefined })).toBe(`ip:${CLIENT}`)
  })

  it('an API key is an HMAC with a secret', async () => {
    const secret = 'a secret of some length'
    expect(await keyOf('api-key', keyed(SECRET_KEY), { secret })).toBe(
      `api-key:#${makeDigest(secret)(SECRET_KEY)}`,
    )
  })
})

describe('a composite key', () => {
  it.each([
    ['user and address', by(42), `user:42+ip:${CLIENT}`],
    ['user before API key', keyed(SECRET_KEY, { request: { user: { id: 42 } } }), `user:42+ip:${CLIENT}`],
    ['API key and address', keyed(SECRET_KEY), `${DIGESTED}+ip:${CLIENT}`],
    ['the user alone without an address', by(42, { ip: undefined }), 'user:42'],
    ['the API key alone without an address', keyed(SECRET_KEY, { ip: undefined }), DIGESTED],
    ['the address alone', view(), `ip:${CLIENT}`],
    ['nobody', view({ ip: undefined }), 'ip:unknown'],
  ])('a composite key consists of %s', async (_what, request, key) => {
    expect(await keyOf('composite', request)).toBe(key)
  })

  it('a composite key never equals the key of a user whose id looks like one', async () => {
    const forged = await keyOf('user', by(`42+ip:${CLIENT}`))
    expect(forged).not.toBe(await keyOf('composite', by(42)))
    expect(forged).toMatch(/^user:#/)
  })
})

it('a client with a new API key for each request gets ten times the limit, and no more', async () => {
  const one = world().limiter(presets.STRICT_API)
  let passed = 0
  for (let i = 0; i < 1000; i++) passed += await admitted(1, one, keyed(`made-up-${i}`))
  expect(passed).toBe(250)
})
