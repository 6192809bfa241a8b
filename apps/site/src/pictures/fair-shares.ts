import { RateLimiter, type RatePolicy } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type Colours, label, type Picture } from './svg.ts'

/** What each tenant asks for in a second. */
const ASKED = [400, 60, 30, 15, 10, 5]
const LIMIT = 100
// Seconds: at first everybody gets what it asks for, from the burst.
const [SETTLING, COUNTED] = [4, 20]
const [PANEL, GAP, TOP, FLOOR, BAR, STEP] = [346, 48, 74, 262, 34, 57]
/** The units a second at the top of a panel. */
const HIGHEST = 90

/** What each of six tenants gets of one limit, without fair shares and with them. */
export async function fairSharesPicture(colours: Colours): Promise<Picture> {
  const [bare, fair] = await Promise.all([received(false), received(true)])
  const level = Math.max(...fair.slice(1))
  const width = 2 * PANEL + GAP
  return {
    width,
    height: FLOOR + 48,
    title: `What six tenants that ask for ${ASKED.join(', ')} requests per second get of ${LIMIT}, without fair shares and with them`,
    shapes: [
      label(0, 16, `Six tenants share ${LIMIT} requests per second`, 'bold'),
      `<rect x="${width - 178}" y="5" width="14" height="12" fill="none" stroke="${colours.refused}"/>`,
      label(width - 158, 16, 'asked', 'soft'),
      `<rect x="${width - 92}" y="5" width="14" height="12" fill="${colours.admitted}"/>`,
      label(width - 72, 16, 'admitted', 'soft'),
      ...panel(0, 'first come, first served', bare, colours),
      ...panel(PANEL + GAP, 'fair', fair, colours),
      `<path d="M${PANEL + GAP} ${heightOf(level)}H${width}" stroke="${colours.text}" stroke-dasharray="4 4"/>`,
      label(width, heightOf(level) - 6, `the level: ${level.toFixed(0)} a second`, 'end'),
    ],
  }
}

function panel(left: number, title: string, got: readonly number[], colours: Colours): string[] {
  const { admitted, refused, line } = colours
  const bars = got.flatMap((units, i) => {
    const x = left + 12 + i * STEP
    const asked = ASKED[i] ?? 0
    const top = heightOf(Math.min(asked, HIGHEST))
    // The bar of the loud tenant goes on above the picture.
    const outline =
      asked > HIGHEST
        ? `<path d="M${x} ${FLOOR}V${top}m${BAR} 0V${FLOOR}" fill="none" stroke="${refused}"/>`
        : `<rect x="${x}" y="${top}" width="${BAR}" height="${(FLOOR - top).toFixed(1)}" fill="none" stroke="${refused}"/>`
    const height = heightOf(units)
    return [
      `<rect x="${x}" y="${height}" width="${BAR}" height="${(FLOOR - height).toFixed(1)}" fill="${admitted}"/>`,
      outline,
      label(x + BAR / 2, FLOOR + 18, `asks ${asked}`, 'soft middle'),
      label(x + BAR / 2, FLOOR + 36, `gets ${units.toFixed(0)}`, 'middle'),
    ]
  })
  return [
    label(left, 48, title, 'bold'),
    ...bars,
    `<path d="M${left} ${FLOOR}H${left + PANEL}" stroke="${line}"/>`,
  ]
}

function heightOf(units: number): number {
  return Number((FLOOR - (units / HIGHEST) * (FLOOR - TOP)).toFixed(1))
}

/** The same numbers from 0 to 1 each time: a linear congruential generator. */
function randomNumbers(): () => number {
  let seed = 1
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** What each tenant gets in a second. The packages decide it. */
async function received(isFair: boolean): Promise<number[]> {
  let micros = 0
  const start = Date.UTC(2026, 0, 1)
  const policy: RatePolicy<{ readonly tenant: string }> = {
    name: 'api',
    limit: LIMIT,
    window: '1s',
    keyStrategy: 'shared',
    ...(isFair ? { fair: { by: ({ tenant }) => tenant } } : {}),
  }
  const store = new InMemoryStore({ clock: () => start + micros / 1000 })
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  const got = ASKED.map(() => 0)
  // Each tenant asks at its rate, and not in step with the others or with the limit.
  const random = randomNumbers()
  const next = ASKED.map(rate => (random() * 1e6) / rate)
  for (;;) {
    const soonest = Math.min(...next)
    if (soonest > (SETTLING + COUNTED) * 1e6) break
    const i = next.indexOf(soonest)
    micros = Math.round(soonest)
    next[i] = soonest + ((0.5 + random()) * 1e6) / (ASKED[i] ?? 1)
    const { allowed } = await limiter.check({ tenant: `tenant ${i}` })
    if (allowed && micros >= SETTLING * 1e6) got[i] = (got[i] ?? 0) + 1
  }
  await limiter.close()
  return got.map(units => units / COUNTED)
}
