import { it, vi, afterEach } from 'vitest'
import { parseDictionary, parseList } from 'structured-headers'
import { guard, headerWriter } from '../../src/http/index.ts'
import { Control } from '../../src/index.ts'
import { by, START, view, world } from '../world.ts'
import { parseRateLimit } from '../../../client/src/parse-rate-limit.ts'

let seed = Number(process.env['Z'] ?? 1)
const rnd = () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const int = (a: number, b: number) => a + Math.floor(rnd() * (b - a + 1))
const pick = <T>(xs: readonly T[]): T => xs[Math.floor(rnd() * xs.length)]!
afterEach(() => void vi.useRealTimers())
const D = ['standard', 'draft-6', 'draft-7', 'draft-8', 'draft-11', 'x-ratelimit', 'openai'] as const
const policy = (name: string): any => {
  const k = pick([
    'bucket',
    'fixed',
    'slide',
    'conc',
    'quota',
    'quota402',
    'fair',
    'head',
    'block',
    'tiny',
    'shadow',
    'deny',
  ])
  const limit = int(1, 8),
    window = pick([0.5, 1, 7.3, 60, 3600])
  const keyStrategy = pick(['ip', 'user', 'shared'])
  switch (k) {
    case 'bucket':
      return { name, limit, window, keyStrategy, burst: pick([undefined, limit + 2]) }
    case 'fixed':
      return { name, limit, window, keyStrategy, algorithm: 'fixed-window' }
    case 'slide':
      return { name, limit, window, keyStrategy, algorithm: 'sliding-window', precision: pick([1, 10]) }
    case 'conc':
      return { name, limit, ttl: window, keyStrategy, algorithm: 'concurrency' }
    case 'quota':
      return {
        name,
        limit,
        period: pick(['hourly', 'daily', 'monthly']),
        keyStrategy,
        unit: pick([undefined, 'tokens', 'usd-micro']),
      }
    case 'quota402':
      return { name, limit, period: 'daily', status: 402, keyStrategy }
    case 'fair':
      return { name, limit: limit + 4, window, keyStrategy: 'shared', fair: { by: 'user' } }
    case 'head':
      return { name, limit: limit + 5, window, keyStrategy, headroom: 0.3 }
    case 'block':
      return {
        name,
        limit,
        window,
        keyStrategy,
        blockDuration: pick([3, 100]),
        algorithm: pick(['token-bucket', 'fixed-window']),
      }
    case 'tiny':
      return { name, limit: 1000000, window: '366d', keyStrategy, algorithm: 'fixed-window' }
    case 'shadow':
      return { name, limit, window, keyStrategy, mode: pick(['shadow', { shadow: 0.5 }, 'off']) }
    default:
      return { name, limit, window, keyStrategy: 'api-key', onMissingKey: pick(['deny', 'allow']) }
  }
}
it('matrix', async () => {
  let n = 0,
    refusals = 0,
    bad = 0
  const reasons: Record<string, number> = {}
  const say = (...a: any[]) => {
    if (bad++ < 6) console.log(...a.map(x => (typeof x === 'object' ? JSON.stringify(x) : x)))
  }
  for (let round = 0; round < 1500; round++) {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const w = world()
    const control = new Control({ store: w.store, warn: () => {} })
    const policies = Array.from({ length: int(1, 3) }, (_, i) =>
      policy(pick(['a', 'tokens', 'tpm-x', 'zz']) + i),
    )
    let limiter: any
    try {
      limiter = w.limiter(policies, {
        control,
        exemptPrivateIps: false,
        penalty:
          rnd() < 0.4
            ? ({ threshold: 2, duration: 60, multiplier: 0.5, decayRate: 1, cooldown: 0 } as any)
            : undefined,
      })
    } catch (e: any) {
      continue
    }
    const format = pick(['json', 'detailed', 'problem'])
    const cost = pick([1, 1, 1, 2, 3])
    const gs = D.map(d => guard(limiter, { headers: d, errorFormat: format as any, cost }))
    const open: any[] = []
    for (let step = 0; step < 25; step++) {
      const r = rnd()
      if (r < 0.25) {
        const s = pick([0.1, 0.5, 1, 5, 30, 4000])
        w.clock.advance(s)
        vi.setSystemTime(w.clock.now())
        continue
      }
      if (r < 0.3) {
        await control
          .block({ user: 'u1' }, { for: pick(['2s', '1h', undefined] as any), reason: 'x' } as any)
          .catch(() => {})
        continue
      }
      if (r < 0.33) {
        await control.unblock({ user: 'u1' } as any, { reason: 'x' } as any).catch(() => {})
        continue
      }
      if (r < 0.4 && open.length) {
        await limiter.release(open.pop())
        continue
      }
      const i = int(0, 6),
        d = D[i]!
      const req = by(pick(['u1', 'u2']), { headers: {} as any })
      const out = await gs[i]!.enter(req)
      const h: any = Object.fromEntries(Object.entries(out.headers).map(([k, v]) => [k.toLowerCase(), v]))
      const dec = out.decision!
      n++
      reasons[dec.reason] = (reasons[dec.reason] ?? 0) + 1
      const ctx = () => ({
        d,
        h,
        dec: dec.toJSON(),
        policies,
        cost,
        status: out.status,
        body: out.body?.text,
      })
      if (out.pass && rnd() < 0.5) open.push(dec)
      for (const [k, v] of Object.entries(h))
        if (typeof v !== 'string' || !/^[\x20-\x7e]+$/.test(v)) say('value', k, v, ctx())
      const nums = [
        'ratelimit-limit',
        'ratelimit-remaining',
        'ratelimit-reset',
        'retry-after',
        'x-ratelimit-limit',
        'x-ratelimit-remaining',
        'x-ratelimit-used',
        'x-ratelimit-reset',
      ]
      for (const k of nums) if (h[k] !== undefined && !/^\d+$/.test(h[k])) say('not whole', k, ctx())
      if (h['retry-after'] !== undefined && Number(h['retry-after']) < 1) say('retry 0', ctx())
      if (d === 'draft-8' || d === 'draft-11') {
        try {
          const ps = parseList(h['ratelimit-policy'] ?? ''),
            rs = parseList(h['ratelimit'] ?? '')
          if (new Set(ps.map(p => p[0])).size !== ps.length) say('dup', ctx())
          for (const [name, p] of rs) {
            const q: any = ps.find(x => x[0] === name)?.[1]?.get('q')
            const rr: any = p.get('r'),
              t: any = p.get('t')
            if (!(Number.isInteger(q) && q > 0 && Number.isInteger(rr) && rr >= 0 && rr <= q))
              say('r/q', name, q, rr, ctx())
            if (t !== undefined && !(Number.isInteger(t) && t >= 0)) say('t', name, t, ctx())
            const v = dec.verdicts.find(x => x.policy === name)!
            if (
              !v.allowed &&
              t !== undefined &&
              h['retry-after'] !== undefined &&
              t > Number(h['retry-after'])
            )
              say('t > retry-after', name, t, ctx())
          }
        } catch (e: any) {
          say('parse', e.message, ctx())
        }
      }
      if (d === 'draft-7' && h['ratelimit']) {
        try {
          const x: any = parseDictionary(h['ratelimit'])
          if (!(x.get('remaining')[0] <= x.get('limit')[0] && x.get('reset')[0] >= 0)) say('d7', ctx())
          parseList(h['ratelimit-policy'])
        } catch (e: any) {
          say('d7 parse', e.message, ctx())
        }
      }
      if (!out.pass) {
        refusals++
        const b = JSON.parse(out.body!.text)
        const ra = h['retry-after'] === undefined ? null : Number(h['retry-after'])
        if (b.retry_after !== ra) say('body retry', b.retry_after, ra, ctx())
        if (b.status !== undefined && b.status !== out.status) say('status', ctx())
        if (
          ra === null &&
          out.status === 429 &&
          !['cost-exceeds-limit', 'missing-key', 'blocked'].includes(dec.reason) &&
          Number.isFinite(dec.retryAfter)
        )
          say('no retry-after', ctx())
        if (out.status === 402 && h['retry-after'] !== undefined) say('402 retry', ctx())
        if (ra !== null && d !== 'openai') {
          const rep = parseRateLimit({ headers: h }, { warn: () => {} })
          if (rep.retryAfter !== Math.min(ra, 86400)) say('client retry', rep, ctx())
          for (const p of rep.policies)
            if (p.resetAt !== undefined && p.resetAt < Math.floor(w.clock.now() / 1000))
              say('client past', rep, ctx())
        }
        // promise: after retryAfter the request passes if nobody else asks (nothing else in flight)
        if (
          ra !== null &&
          !(dec.reason === 'blocked' && dec.verdicts.length === 1 && dec.key === 'user:u1') &&
          dec.retryAfter < 1e6 &&
          rnd() < 0.3 &&
          open.length === 0
        ) {
          w.clock.advance(dec.retryAfter)
          vi.setSystemTime(w.clock.now())
          const again = await gs[i]!.enter(req)
          if (!again.pass) say('retry refused', ctx(), again.decision!.toJSON(), again.decision!.verdicts)
          else if (rnd() < 0.5) open.push(again.decision)
        }
      } else if (dec.reason !== 'exempt' && h['retry-after'] !== undefined) say('retry on pass', ctx())
    }
    await control.close()
    await limiter.close()
  }
  console.log(n, refusals, 'bad', bad, JSON.stringify(reasons))
})
