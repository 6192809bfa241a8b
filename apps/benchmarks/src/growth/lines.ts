import { type Policy, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { headersWith, NodeRequest } from '../contestants/node-request.ts'
import { guardedRoute } from './guarded-route.ts'
import { bareKeys, liveKeys } from './live-keys.ts'
import type { Opened, Step } from './opened.ts'

const CLIENT = '11.22.33.44'
// Never refused.
const ROOMY = { limit: 100_000_000, window: '1h' } as const

function checks(
  options: Partial<RateLimiterOptions<NodeRequest>> & Pick<RateLimiterOptions<NodeRequest>, 'policy'>,
  request: () => NodeRequest = () => new NodeRequest(CLIENT),
): Step {
  const limiter = new RateLimiter<NodeRequest>({ store: new InMemoryStore(), ...options })
  return () => limiter.check(request())
}

function policies(count: number): Opened {
  const policy = Array.from({ length: count }, (_, i): Policy => ({ ...ROOMY, name: `policy-${i}` }))
  return { step: checks({ policy }) }
}

/** The clock moves a tenth of a sub-window at a check, so all sub-windows have counted and one of them ends every ten checks. */
function precision(count: number): Opened {
  let now = Date.UTC(2026, 0)
  const store = new InMemoryStore({ clock: () => (now += 3_600_000 / count / 10) })
  const policy: Policy = { ...ROOMY, name: 'api', algorithm: 'sliding-window', precision: count }
  const step = checks({ store, policy })
  return { step, fill: () => repeat(step, count * 20) }
}

/** The peer and all but the first entry of the header are trusted proxies. */
function hops(count: number): Opened {
  const proxies = Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}`)
  const header = { 'x-forwarded-for': [CLIENT, ...proxies.slice(1)].join(', ') }
  const headers = headersWith(count === 0 ? {} : header)
  const peer = proxies[0] ?? CLIENT
  const policy: Policy = { ...ROOMY, name: 'api' }
  return { step: checks({ policy, trustedProxies: ['10.0.0.0/8'] }, () => new NodeRequest(peer, headers)) }
}

/** No entry covers the request, so every request is counted. */
function exemptions(entryAt: (i: number) => string): (count: number) => Opened {
  return count => {
    const policy: Policy = {
      ...ROOMY,
      name: 'api',
      exemptions: Array.from({ length: count }, (_, i) => entryAt(i)),
    }
    return { step: checks({ policy }) }
  }
}

/** The proxy is in the last network of the list. */
function trustedNetworks(count: number): Opened {
  const trustedProxies = Array.from({ length: count }, (_, i) => networkAt(i))
  const peer = networkAt(count - 1).replace('0/24', '1')
  const headers = headersWith({ 'x-forwarded-for': CLIENT })
  return {
    step: checks({ policy: { ...ROOMY, name: 'api' }, trustedProxies }, () => new NodeRequest(peer, headers)),
  }
}

async function repeat(step: Step, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await step()
}

function networkAt(i: number): string {
  return `20.${i >> 8}.${i & 255}.0/24`
}

/** What is measured, by the name of its line. */
export const lines: Readonly<Record<string, (size: number) => Opened | Promise<Opened>>> = {
  policies,
  'live keys': liveKeys,
  'live keys, bare': bareKeys,
  precision,
  hops,
  'exempt paths': exemptions(i => `/internal/path-${i}`),
  'exempt networks': exemptions(networkAt),
  'trusted networks': trustedNetworks,
  guards: count => ({ step: guardedRoute(count, CLIENT) }),
}
