import { BlockList, isIP } from 'node:net'
import type { LoggedRequest } from '../log/logged-request.ts'
import { percent } from '../table.ts'
import type { Finding } from './finding.ts'

/** The most peers that are counted. Proxies are few and come often, so they are among the first. */
const MOST_PEERS = 10_000
const MOST_SHOWN = 10

const PRIVATE = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addAddress('::1', 'ipv6')

/** Finds the proxies in a log: peers that name other clients in X-Forwarded-For, and private addresses. */
export class ProxySurvey {
  readonly #peers = new Map<string, { requests: number; forwarding: number }>()
  #requests = 0

  add({ ip = '', headers }: LoggedRequest): void {
    this.#requests++
    const peer = this.#peers.get(ip)
    const forwards = (headers as Readonly<Record<string, unknown>>)['x-forwarded-for'] === undefined ? 0 : 1
    if (peer !== undefined) {
      peer.requests++
      peer.forwarding += forwards
    } else if (this.#peers.size < MOST_PEERS)
      this.#peers.set(` ${ip}`.slice(1), { requests: 1, forwarding: forwards })
  }

  findings(): Finding[] {
    const all = [...this.#peers].map(([ip, counts]) => ({ ip, ...counts, isPrivate: isPrivate(ip) }))
    const proxies = all
      .filter(({ forwarding, isPrivate: near }) => forwarding > 0 || near)
      .sort((a, b) => b.requests - a.requests)
    if (proxies.length === 0)
      return [
        {
          level: 'ok',
          message: `None of the ${all.length === MOST_PEERS ? `first ${MOST_PEERS}` : all.length} peers in the log looks like a proxy.`,
        },
      ]
    const near = proxies.filter(({ isPrivate: isNear }) => isNear).map(({ ip }) => ip)
    const found = proxies
      .slice(0, MOST_SHOWN)
      .map(({ ip, requests, forwarding, isPrivate: isNear }): Finding => ({
        level: 'info',
        message: `${ip} sent ${percent(requests, this.#requests)} of the requests${forwarding > 0 ? `, ${percent(forwarding, requests)} of them with X-Forwarded-For` : ''}${isNear ? '; it is a private address' : ''}.`,
      }))
    return [...found, advice(near, proxies.length)]
  }
}

function advice(near: readonly string[], count: number): Finding {
  const some = near.slice(0, MOST_SHOWN)
  return {
    level: 'info',
    message: `${count} peers may be proxies. Any client can send X-Forwarded-For, so only a private address is a sign by itself.`,
    fix:
      some.length === 0
        ? "If you know these addresses as yours or your CDN's, name them in trustedProxies."
        : `If these are your proxies: trustedProxies: ${JSON.stringify(some)}.`,
  }
}

function isPrivate(ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && PRIVATE.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}
