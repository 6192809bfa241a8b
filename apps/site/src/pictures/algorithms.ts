import type { PlayPolicy } from '../playground/setup.ts'
import { Simulation } from '../playground/simulation.ts'
import { type Colours, label, type Picture } from './svg.ts'

const SECONDS = 30
const PER_SECOND = 4
const BASE: PlayPolicy = { name: 'api', limit: 10, window: 10 }

/** The settings of docs/algorithms.md, by the words beside them. */
const SETTINGS: Readonly<Record<string, Partial<PlayPolicy>>> = {
  'a bucket of 10': {},
  'smooth: burst 2': { burst: 2 },
  'roomy: burst 20': { burst: 20 },
  'fixed window': { algorithm: 'fixed-window' },
  'sliding window': { algorithm: 'sliding-window' },
  '… of precision 2': { algorithm: 'sliding-window', precision: 2 },
  'a bucket, cool-down 5 s': { blockDuration: 5 },
}

const [LEFT, TOP, ROW, STEP, DOT] = [180, 44, 50, 17, 8.5]

/** What each algorithm admits of four requests per second, at a limit of 10 in 10 seconds. */
export function algorithmsPicture(colours: Colours): Picture {
  const rows = Object.entries(SETTINGS)
  const width = LEFT + SECONDS * STEP + 50
  const height = TOP + rows.length * ROW + 30
  return {
    width,
    height,
    title: `What each algorithm admits of ${PER_SECOND} requests per second, at a limit of 10 in 10 seconds`,
    shapes: [
      label(0, 16, `${PER_SECOND} requests per second, a limit of 10 in 10 seconds`, 'bold'),
      `<circle cx="${LEFT + 214}" cy="12" r="3.4" fill="${colours.admitted}"/>`,
      label(LEFT + 224, 16, 'admitted', 'soft'),
      `<circle cx="${LEFT + 294}" cy="12" r="2.9" fill="none" stroke="${colours.refused}"/>`,
      label(LEFT + 304, 16, 'refused', 'soft'),
      label(width, 16, 'admitted', 'soft end'),
      ...rows.flatMap(([name, numbers], i) =>
        row(name, { ...BASE, ...numbers }, TOP + i * ROW, width, colours),
      ),
      ...[0, 10, 20, 30].map(second => label(LEFT + second * STEP, height - 6, `${second} s`, 'soft middle')),
    ],
  }
}

function row(
  name: string,
  policy: PlayPolicy,
  top: number,
  width: number,
  { admitted, refused, line }: Colours,
): string[] {
  const bySecond = admittedBySecond(policy)
  const low = top + PER_SECOND * DOT
  const dots = bySecond.flatMap((count, second) =>
    Array.from({ length: PER_SECOND }, (_, i) => {
      const place = `cx="${LEFT + (second + 0.5) * STEP}" cy="${low - (i + 0.5) * DOT}"`
      return i < count
        ? `<circle ${place} r="3.4" fill="${admitted}"/>`
        : `<circle ${place} r="2.9" fill="none" stroke="${refused}"/>`
    }),
  )
  const total = bySecond.reduce((sum, count) => sum + count, 0)
  return [
    label(0, low - 12, name),
    ...dots,
    label(width, low - 12, String(total), 'bold end'),
    `<path d="M${LEFT} ${low + 5}H${LEFT + SECONDS * STEP}" stroke="${line}"/>`,
  ]
}

/** The packages decide it, as in the playground. */
function admittedBySecond(policy: PlayPolicy): number[] {
  const simulation = new Simulation({
    sides: [[policy]],
    traffic: { kind: 'steady', perSecond: PER_SECOND, clients: 1 },
  })
  const [side] = simulation.sides
  const counts: number[] = []
  for (let second = 0; second < SECONDS; second++) {
    const before = side?.admitted ?? 0
    // Up to the microsecond before the next second.
    simulation.advance(1e6 - (second === 0 ? 1 : 0))
    counts.push((side?.admitted ?? 0) - before)
  }
  return counts
}
