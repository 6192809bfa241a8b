import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { arrow, box, type Colours, label, type Picture } from './svg.ts'

const FORGED = '6.6.6.6'
const CLIENT = '203.0.113.7'
const CDN = '162.158.1.1'
const BALANCER = '10.0.7.9'
const TRUSTED = ['cloudflare', '10.0.0.0/16']

const [WIDTH, BOX, GAP, TOP] = [842, 162, 64, 40]

/** How Halt finds the client behind two proxies, as `limiter.explain` tells it. */
export async function proxiesPicture(colours: Colours): Promise<Picture> {
  const { key, hops } = await explained()
  const x = (i: number): number => i * (BOX + GAP)
  const stations = [
    ['client', CLIENT],
    ['CDN', CDN],
    ['balancer', BALANCER],
    ['app with Halt', `counts ${key}`],
  ]
  const headers = [FORGED, `${FORGED}, ${CLIENT}`, `${FORGED}, ${CLIENT}, ${CDN}`]
  const top = TOP + 130
  return {
    width: WIDTH,
    height: top + 30 + hops.length * 24,
    title: `Halt walks from the socket back to the client through the proxies that are listed: it counts ${key}`,
    shapes: [
      label(0, 16, 'X-Forwarded-For grows at each proxy', 'bold'),
      ...stations.map((lines, i) => box(x(i), TOP, BOX, 52, lines, colours)),
      ...headers.map((header, i) => {
        const y = TOP + 72
        return (
          arrow(
            [
              [x(i) + BOX, TOP + 26],
              [x(i + 1) - 2, TOP + 26],
            ],
            colours.admitted,
          ) + label(x(i) + BOX + GAP / 2, y, header, 'code middle soft')
        )
      }),
      label(
        0,
        top,
        `Halt reads it from the right, with trustedProxies: ${JSON.stringify(TRUSTED).replaceAll('"', "'").replaceAll(',', ', ')}`,
        'bold',
      ),
      ...hops.map(({ address, why }, i) => {
        const y = top + 26 + i * 24
        return label(0, y, address, 'code') + label(104, y, why, 'soft')
      }),
    ],
  }
}

async function explained(): Promise<{
  key: string
  hops: readonly { readonly address: string; readonly why: string }[]
}> {
  const policy = { name: 'api', limit: 100, window: 60 }
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, trustedProxies: TRUSTED })
  const headers = { 'x-forwarded-for': `${FORGED}, ${CLIENT}, ${CDN}` }
  const { decision, hops } = await limiter.explain({ socket: { remoteAddress: BALANCER }, headers })
  return { key: decision?.key ?? '', hops }
}
