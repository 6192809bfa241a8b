import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Policy, RequestView } from '../../src/index.ts'
import { CLIENT, mistake, type Options, view, world, type World } from '../world.ts'

const plain: Policy = { name: 'p', limit: 5, window: 60 }

/** Whether a request is not counted. */
async function isExempt(
  request: RequestView,
  more: Partial<Policy> = {},
  options: Options = {},
  here: World = world(),
): Promise<boolean> {
  return (await here.limiter({ ...plain, ...more } as Policy, options).check(request)).reason === 'exempt'
}

describe('health checks', () => {
  it.each(['/health', '/ping', '/ready', '/healthz', '/livez'])(
    'the health check %s is exempt for GET and HEAD',
    async path => {
      expect(await isExempt(view({ path }))).toBe(true)
      expect(await isExempt(view({ path, method: 'HEAD' }))).toBe(true)
      for (const method of ['POST', 'OPTIONS', 'DELETE', 'get'])
        expect(await isExempt(view({ path, method })), method).toBe(false)
    },
  )

  it.each([
    '/HEALTH',
    '/health/',
    '//health',
    '/health/../login',
    '/healthz-anything',
    '/health;/login',
    '/api/health',
    '/%68ealth',
    '/health%20',
    '/health\\',
    '/./health',
    'health',
    '/health.json',
    '/healthx',
    '/livez/x',
  ])('%s is not a health check', async path => {
    expect(await isExempt(view({ path }))).toBe(false)
  })

  it('a health check is exempt whether its target is a path or a whole URL', async () => {
    for (const path of ['/health?x', 'http://a.test/health?x', 'HTTP://A.TEST/healthz'])
      expect(await isExempt(view({ path })), path).toBe(true)
    for (const path of ['/other', 'http://a.test/other', 'http://a.test/other/health'])
      expect(await isExempt(view({ path })), path).toBe(false)
  })

  it('the health checks can be other paths, or none', async () => {
    expect(await isExempt(view({ path: '/up' }), {}, { exemptHealthChecks: ['/up'] })).toBe(true)
    expect(await isExempt(view({ path: '/health' }), {}, { exemptHealthChecks: ['/up'] })).toBe(false)
    expect(await isExempt(view({ path: '/health' }), {}, { exemptHealthChecks: false })).toBe(false)
    expect(await isExempt(view({ path: '/health' }), {}, { exemptHealthChecks: true })).toBe(true)
  })

  it('a health check stays exempt if the policy resolver fails, so that no orchestrator ends the process', async () => {
    const { limiter } = world()
    const failing = limiter(() => {
      throw new Error('the database is away')
    })
    expect(await failing.check(view({ path: '/health' }))).toMatchObject({ allowed: true, reason: 'exempt' })
    expect(await failing.check(view())).toMatchObject({ allowed: false, reason: 'policy-error' })
  })
})

describe('a list of exempt paths', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 4 })
    .map(parts => `/${parts.join('/')}`)
    .filter(text => text !== '/' && !text.includes('//'))

  it('a list of exempt paths covers its paths and all below them, whatever else it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 6 }), path, async (exemptions, asked) => {
        const isCovered = exemptions.some(
          entry => asked === entry || asked.startsWith(entry.endsWith('/') ? entry : `${entry}/`),
        )
        expect(await isExempt(view({ path: asked }), { exemptions })).toBe(isCovered)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a policy’s exemptions', () => {
  const exemptions = ['/admin', '/static/', '192.0.2.7', '198.51.100.0/24', '2001:db8::/32']

  it.each(['/admin', '/admin/', '/admin/users', '/static/', '/static/app.js', '/admin/a/b'])(
    'the exemptions of a policy cover %s',
    async path => {
      expect(await isExempt(view({ path }), { exemptions })).toBe(true)
    },
  )

  it.each(['/administrator', '/admin2', '/Admin', '/', '/static', '/x/admin', '/adm'])(
    'the exemptions of a policy do not cover %s',
    async path => {
      expect(await isExempt(view({ path }), { exemptions })).toBe(false)
    },
  )

  it.each([
    '/admin/%2e%2e/login',
    '/admin/../login',
    '/admin//login',
    '/admin;x',
    '/admin\\..\\login',
    '/admin/%61',
  ])('the exemptions of a policy never cover %s, which a router may read as another path', async path => {
    expect(await isExempt(view({ path }), { exemptions })).toBe(false)
  })

  it('the exemptions of a policy never cover a path with an ambiguous part in any position', async () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'Z', '/', '.', '-', '_', '~', '0') })
    const tricky = fc.constantFrom('%', '..', '//', ';', '\\')
    await fc.assert(
      fc.asyncProperty(part, tricky, part, async (before, trick, after) => {
        expect(await isExempt(view({ path: `/admin${before}${trick}${after}` }), { exemptions })).toBe(false)
      }),
    )
  })

  it.each(['192.0.2.7', '::ffff:192.0.2.7', '198.51.100.200', '2001:db8:ffff::1'])(
    'the exemptions of a policy cover the address %s',
    async ip => {
      expect(await isExempt(view({ ip }), { exemptions })).toBe(true)
    },
  )

  it.each(['192.0.2.70', '198.51.101.1', '2001:db9::1'])('exemptions do not cover address %s', async ip => {
    expect(await isExempt(view({ ip }), { exemptions })).toBe(false)
  })

  it('the exemptions of a policy ignore the header of an untrusted proxy', async () => {
    const forged = view({ headers: { 'x-forwarded-for': '192.0.2.7' } })
    expect(await isExempt(forged, { exemptions })).toBe(false)
    expect(await isExempt(forged, { exemptions }, { trustedProxies: [CLIENT] })).toBe(true)
  })

  it('the exemptions of a policy apply to that policy only', async () => {
    const limiter = world().limiter([
      { ...plain, exemptions: ['/admin'] },
      { ...plain, name: 'other' },
    ])
    const decision = await limiter.check(view({ path: '/admin' }))
    expect(decision.verdicts.map(({ policy }) => policy)).toEqual(['other'])
  })

  it.each([
    ['/', /covers every path/],
    ['/admin;x', /not a plain path/],
    ['/a*', /is a pattern/],
  ])('exemptions refuse %s, and say why', (path, why) => {
    expect(mistake(() => world().limiter({ ...plain, exemptions: [path] })).message).toMatch(why)
  })

  it('exemptions refuse patterns, because they would cover nothing', () => {
    for (const exemptions of [['/admin/*'], ['/*'], ['/a*b']])
      expect(mistake(() => world().limiter({ ...plain, exemptions })).code).toBe('HALT_E_EXEMPTION')
  })
})
