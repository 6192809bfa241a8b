import { describe, expect, it } from 'vitest'

import { type Policy, presets } from '../../src/index.ts'
import { by, CLIENT, keyed, rejection, times, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 2, unit: undefined, window: 60, algorithm: 'fixed-window' }

describe('explain', () => {
  it('explain charges nothing, and gives the decision of a check', async () => {
    const limiter = world().limiter(fixed)
    for (let i = 0; i < 5; i++) expect((await limiter.explain(view())).decision.remaining).toBe(2)
    await times(2, limiter)
    const { decision, policies } = await limiter.explain(view())
    expect(decision).toMatchObject({ allowed: false, reason: 'limited', retryAfter: 60 })
    expect(policies).toEqual([
      {
        policy: 'p',
        algorithm: 'fixed-window',
        limit: 2,
        exemption: undefined,
        key: `ip:${CLIENT}`,
        keyFoundBy: 'the client address',
        verdict: decision.verdicts[0],
        before: 0,
        after: 0,
        blockedUntil: 0,
        waits: [
          { cost: 1, seconds: 60 },
          { cost: 2, seconds: 60 },
        ],
        line: undefined,
        held: 0,
        control: [],
      },
    ])
  })

  it('explain names policies in shadow mode', async () => {
    const limiter = world().limiter([
      { ...fixed, mode: 'shadow' },
      { ...fixed, name: 'large', limit: 100 },
    ])
    await times(3, limiter)
    const text = String(await limiter.explain(view()))
    expect(text).toContain('Allowed: ok (large)')
    expect(text).toContain('0 of 2 left, only reports, would refuse: limited, passes in 60 s')
  })

  it('explain calls a resolver once, and does not feed the warnings', async () => {
    let asked = 0
    const { limiter, codes } = world()
    const one = limiter(
      async () => {
        asked++
        return { ...presets.PLAN_PRO, exemptions: ['/things'] }
      },
      { exemptPrivateIps: false },
    )
    for (let i = 0; i < 600; i++) await one.explain(view())
    for (let i = 0; i < 600; i++) await one.peek(view())
    expect(asked).toBe(1200)
    expect(codes()).toEqual([])
    await times(1000, one)
    expect(codes()).toEqual(['HALT_W_ALL_EXEMPT'])
  })

  it('explain writes the whole explanation as text', async () => {
    const limiter = world().limiter([fixed, { ...presets.PLAN_PRO, exemptions: ['/things'] }])
    await times(3, limiter)
    expect(String(await limiter.explain(view()))).toBe(
      [
        'Refused: limited (p)',
        `  from "${CLIENT}": the socket peer, not in trustedProxies, so it is the client whatever the headers say`,
        `  p (fixed-window) for "ip:${CLIENT}" by the client address: 0 of 2 left, refuses: limited, passes in 60 s`,
        '    a cost of 1 to 2 passes in 60 s',
        '  pro_plan (token-bucket): not counted, the path is under "/things"',
      ].join('\n'),
    )
  })

  it('explain shows the rest before and after, and exactly when each cost passes', async () => {
    const { limiter, clock } = world()
    const bucket = limiter({ name: 'b', limit: 10, window: 60, cost: 3 })
    await bucket.check(view())
    const [left] = (await bucket.explain(view())).policies
    expect(left).toMatchObject({ before: 7, after: 4 })
    expect(left?.waits).toEqual([
      { cost: 1, seconds: 0 },
      { cost: 3, seconds: 0 },
      { cost: 10, seconds: 18 },
    ])
    await times(2, bucket)
    clock.advance(0.5)
    const explanation = await bucket.explain(view())
    expect(explanation.policies[0]).toMatchObject({ before: 1, after: 1 })
    expect(explanation.policies[0]?.waits[1]).toEqual({ cost: 3, seconds: 11.5 })
    expect(String(explanation)).toContain('a cost of 3 passes in 11.5 s, a cost of 10 passes in 53.5 s')
    clock.advance(11.499)
    expect((await bucket.peek(view())).allowed).toBe(false)
    clock.advance(0.001)
    expect((await bucket.peek(view())).allowed).toBe(true)
  })

  it('explain says how many units pass at once where the burst is below the limit', async () => {
    const calls = world().limiter({ name: 'calls', limit: 60, window: 60, burst: 5 })
    expect(String(await calls.explain(view()))).toMatch(/5 of 60 left, passes\n {4}at most 5 at once$/)
    await times(5, calls)
    expect(String(await calls.explain(view()))).toMatch(
      /a cost of 1 passes in 1 s, a cost of 5 passes in 5 s, at most 5 at once$/,
    )
  })

  it('explain shows how many units wait in line, and how long', async () => {
    const { limiter, clock } = world()
    const calls = limiter({ name: 'calls', limit: 10, window: 1, burst: 1 })
    const line = async (): Promise<unknown> => (await calls.explain('stripe')).policies[0]?.line
    const leaving = new AbortController()
    const turns = Array.from({ length: 5 }, () => calls.acquire('stripe', { signal: leaving.signal }))
    expect(await turns[0]).toMatchObject({ allowed: true, waitedMs: 0 })
    expect(await line()).toEqual({ units: 4, seconds: 0.4 })
    expect(String(await calls.explain('stripe'))).toContain(
      '4 units wait in line, the last one starts in 0.4 s',
    )
    clock.advance(0.25)
    expect(await line()).toEqual({ units: 2, seconds: 0.15 })
    clock.advance(0.05)
    expect(String(await calls.explain('stripe'))).toContain('1 unit waits in line, it starts in 0.1 s')
    clock.advance(0.1)
    expect(await line()).toBeUndefined()
    expect(String(await calls.explain('stripe'))).not.toContain('line')
    leaving.abort()
    await Promise.allSettled(turns)
  })

  it('explain shows no line where the units only do not fit, or where the policy has no places', async () => {
    const { limiter } = world()
    const limiters = [
      limiter({ name: 'bucket', limit: 2, window: 60 }),
      limiter(fixed),
      limiter({ name: 'flight', limit: 2, algorithm: 'concurrency', ttl: 60 }),
    ]
    for (const one of limiters) {
      await times(3, one)
      expect((await one.explain(view())).policies[0]?.line).toBeUndefined()
    }
  })

  it('explain tells long waits in days and hours too, and no millionths of a second', async () => {
    const { limiter } = world()
    const waits = async (window: number): Promise<string> => {
      const own = limiter({ name: `w${window}`, limit: 1, window, keyStrategy: 'user' })
      await own.consume({ user: '42' })
      return String(await own.explain({ user: '42' }))
    }
    expect(await waits(3599)).toMatch(/passes in 3599 s$/m)
    expect(await waits(3600)).toContain('passes in 3600 s (1 h 0 min)')
    expect(await waits(152_479.431073)).toContain('passes in 152479.432 s (1 d 18 h)')
    expect(await waits(86_399)).toContain('(1 d 0 h)')
  })

  it('explain shows the debt of a settlement as a line', async () => {
    const limiter = world().limiter({ name: 'tokens', limit: 10, window: 10 })
    await limiter.settle(await limiter.consume('42', { cost: 10 }), 13)
    expect((await limiter.explain('42')).policies[0]?.line).toEqual({ units: 3, seconds: 3 })
  })

  it('explain shows no line because a larger plan shares the counter, but shows the callers that wait', async () => {
    const { limiter } = world()
    const shared = { window: 10, counter: 'plan' }
    const free = limiter({ name: 'free', limit: 10, ...shared })
    const pro = limiter({ name: 'pro', limit: 100, ...shared })
    await pro.consume('42', { cost: 30 })
    const [policy] = (await free.explain('42')).policies
    expect(policy?.verdict).toMatchObject({ allowed: false, remaining: 0 })
    expect(policy?.line).toBeUndefined()
    expect(String(await free.explain('42'))).not.toContain('in line')
    const leaving = new AbortController()
    const turns = [70, 5].map(cost => pro.acquire('42', { cost, signal: leaving.signal }))
    expect(await turns[0]).toMatchObject({ allowed: true })
    expect((await pro.explain('42')).policies[0]?.line).toMatchObject({ units: 5 })
    expect((await free.explain('42')).policies[0]?.line).toBeDefined()
    leaving.abort()
    await Promise.allSettled(turns)
  })

  it('explain shows no line because a penalty made the capacity smaller', async () => {
    const limiter = world().limiter({ name: 'p', limit: 10, window: 60 }, { penalty: { threshold: 1 } })
    await times(11, limiter)
    const [policy] = (await limiter.explain(view())).policies
    expect(policy?.verdict).toMatchObject({ reason: 'penalized', limit: 5 })
    expect(policy?.line).toBeUndefined()
  })

  it('explain takes a user by a given policy, when the policies come from a resolver', async () => {
    const limiter = world().limiter(() => fixed)
    expect((await rejection(limiter.explain({ user: '42' }))).code).toBe('HALT_E_POLICY_REQUIRED')
    await limiter.consume({ user: '42' }, { policy: fixed })
    const { policies } = await limiter.explain({ user: '42' }, { policy: fixed })
    expect(policies[0]).toMatchObject({ policy: 'p', key: 'user:42', before: 1 })
    expect((await limiter.peek({ user: '42' }, { policy: fixed })).remaining).toBe(1)
    expect((await limiter.peek(view(), { ip: '198.51.100.2' })).key).toBe('ip:198.51.100.2')
  })

  it('explain names the address that clientIp gave, not the socket', async () => {
    const limiter = world().limiter(fixed, { clientIp: () => '198.51.100.2' })
    const explanation = await limiter.explain(view())
    expect(explanation.hops).toEqual([])
    expect(String(explanation)).toContain('from "198.51.100.2": given by clientIp')
  })

  it('explain walks the proxies hop by hop', async () => {
    const limiter = world().limiter(fixed, { trustedProxies: ['10.0.0.0/8'] })
    const request = view({
      ip: '10.0.0.1',
      headers: { 'x-forwarded-for': '1.1.1.1, 198.51.100.2, 10.9.9.9' },
    })
    const explanation = await limiter.explain(request)
    expect(explanation.hops.map(({ address, trusted }) => [address, trusted])).toEqual([
      ['10.0.0.1', true],
      ['10.9.9.9', true],
      ['198.51.100.2', false],
    ])
    expect(explanation.policies[0]?.key).toBe('ip:198.51.100.2')
    for (const { why } of explanation.hops) expect(String(explanation)).toContain(why)
  })

  it.each([
    ['user', by('42'), 'user:42', 'the user id'],
    ['user', view(), `ip:${CLIENT}`, 'no user found: onMissingKey "ip"'],
    ['api-key', keyed('sk_live'), undefined, 'X-API-Key, unverified'],
    [
      'api-key',
      view({ headers: { authorization: 'Bearer sk_live' } }),
      undefined,
      'the Authorization header, unverified',
    ],
    ['composite', by('42'), `user:42+ip:${CLIENT}`, 'the user id and the client address'],
    ['shared', view(), 'shared', 'one counter for everybody'],
  ] as const)('explain says how a key was found: %s', async (keyStrategy, request, key, how) => {
    const limiter = world().limiter({ ...fixed, keyStrategy })
    const [policy] = (await limiter.explain(request)).policies
    expect(policy?.keyFoundBy).toBe(how)
    if (key !== undefined) expect(policy?.key).toBe(key)
  })

  it('explain tells why a request is not counted', async () => {
    const { limiter } = world()
    const why = async (policy: Policy, request = view()): Promise<string> =>
      String(await limiter(policy).explain(request))
    expect(await why(fixed, view({ ip: '127.0.0.1' }))).toContain('the socket peer is private')
    expect(await why({ ...fixed, exemptions: ['/things'] })).toContain('the path is under "/things"')
    expect(await why({ ...fixed, exemptions: [CLIENT] })).toContain('the client address is in exemptions')
    expect(await why({ ...fixed, mode: 'off' })).toContain('its mode is "off"')
    expect(await why(fixed, view({ path: '/health' }))).toMatch(/health/)
  })

  it('explain reports that the policies could not be found', async () => {
    const explanation = await world()
      .limiter(() => undefined as unknown as Policy)
      .explain(view())
    expect(String(explanation)).toContain('Refused: policy-error')
    expect(explanation.policies).toEqual([])
  })

  it('explain takes an identity', async () => {
    const limiter = world().limiter(fixed)
    await limiter.consume({ user: '42' })
    const explanation = await limiter.explain({ user: '42' })
    expect(explanation.hops).toEqual([])
    expect(explanation.policies[0]).toMatchObject({ key: 'user:42', keyFoundBy: 'the given identity' })
    expect(explanation.decision?.remaining).toBe(1)
    expect((await rejection(limiter.explain({ user: '' }))).code).toBe('HALT_E_IDENTITY')
  })

  it('explain says of an address that it does not reach requests with a user', async () => {
    const limiter = world().limiter([
      { ...fixed, name: 'pair', blockDuration: 900, keyStrategy: 'composite' },
      { ...fixed, name: 'address', limit: 30 },
      { ...fixed, name: 'account', limit: 100, keyStrategy: 'user' },
    ])
    await times(3, limiter, by('ann'))
    expect((await limiter.check(by('ann'))).reason).toBe('blocked')
    const explanation = await limiter.explain({ ip: CLIENT })
    expect(String(explanation)).toBe(
      [
        'Allowed by what { ip } reaches: ok (address)',
        `  pair (fixed-window) for "ip:${CLIENT}" by the given identity, for requests without a user or an API key: 2 of 2 left, no requests counted, passes`,
        `  address (fixed-window) for "ip:${CLIENT}" by the given identity: 28 of 30 left, passes`,
        '    a cost of 30 passes in 60 s',
        `  account (fixed-window) for "ip:${CLIENT}" by the given identity, for requests without a user: 100 of 100 left, no requests counted, passes`,
        '  pair: not reachable by { ip }; reached by { user, ip } or { apiKey, ip } for requests with a user or an API key',
        '  account: not reachable by { ip }; reached by { user } for requests with a user',
      ].join('\n'),
    )
    const keyed = world().limiter({ name: 'k', limit: 2, window: 60, keyExtractor: () => 'a' })
    expect((await keyed.explain({ ip: CLIENT })).unreachable).toEqual([
      { policy: 'k', reachedBy: '{ custom } for requests with a key of its keyExtractor' },
    ])
  })

  it('explain says until when a cool-down blocks, and whether a counter of an identity holds anything', async () => {
    const { limiter, clock } = world()
    const one = limiter({ ...fixed, blockDuration: 900, keyStrategy: 'user' })
    const end = new Date(clock.now() + 900_000).toISOString().replace('.000Z', 'Z')
    await times(3, one, by('ann@example.com'))
    const explanation = await one.explain({ user: 'ann@example.com' })
    expect(String(explanation)).toContain(`0 of 2 left, refuses: blocked until ${end}, passes in 900 s`)
    expect(explanation.policies[0]?.blockedUntil).toBe(clock.now() / 1000 + 900)
    const misspelt = String(await one.explain({ user: 'Ann@example.com' }))
    expect(misspelt).toContain(
      'for "user:Ann@example.com" by the given identity: 2 of 2 left, no requests counted, passes',
    )
    expect(String(await one.explain(by('Ann@example.com')))).not.toContain('no requests counted')
  })

  it('explain keeps text from a client on one line', async () => {
    const forged = view({
      request: { user: { id: 'x"\u2028y' } },
      headers: { 'x-forwarded-for': 'evil"\u2028line' },
      ip: '10.0.0.1',
    })
    const limiter = world().limiter({ ...fixed, keyStrategy: 'user' }, { trustedProxies: ['10.0.0.0/8'] })
    const lines = String(await limiter.explain(forged)).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines.join('')).not.toContain('evil"')
  })
})

describe('no secret shows', () => {
  it('no API key shows in decisions, explanations or warnings', async () => {
    const { limiter, warnings } = world()
    const secret = 'sk_live_do_not_tell_4242'
    const one = limiter({ ...fixed, keyStrategy: 'composite' })
    const shown: unknown[] = []
    for (const headers of [
      { 'x-api-key': secret },
      { authorization: `Bearer ${secret}` },
      { authorization: secret },
    ]) {
      for (let i = 0; i < 4; i++) shown.push(await one.check(view({ headers })))
      const explanation = await one.explain(view({ headers }))
      shown.push(explanation, String(explanation))
    }
    shown.push(await one.consume({ apiKey: secret }), warnings)
    expect(JSON.stringify(shown)).not.toContain('do_not_tell')
  })
})

it('an explanation tells costs together whose waits differ by less than a millisecond', async () => {
  const { limiter } = world()
  const own = limiter({ name: 'api', limit: 30, window: '20389ms', blockDuration: '20388.5ms' })
  await own.consume('client', { cost: 30 })
  await own.consume('client')
  expect(String(await own.explain('client'))).toContain('    a cost of 1 to 30 passes in 20.389 s')
})
