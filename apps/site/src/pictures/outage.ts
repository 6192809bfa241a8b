import { readSource } from '../pages/repository.ts'
import { type Colours, label, type Picture } from './svg.ts'

/** One fault of the measured table of apps/faults/RESULTS.md. */
interface Fault {
  readonly name: string
  readonly good: string
  /** Milliseconds. */
  readonly slowest: number
  readonly backAfter: number
}

const [WIDTH, FIRST, SECOND, TOP, ROW] = [840, 390, 620, 66, 30]
/** Pixels per millisecond of the two columns. */
const [FAST, SLOW] = [1.6, 0.1]

/** How long requests waited in each fault of the store, and when the store decided again. */
export function outagePicture({ admitted, refused, soft, line }: Colours): Picture {
  const faults = measuredFaults()
  const height = TOP + faults.length * ROW + 26
  const scale = (x: number, ms: number, perMs: number, text: string): string =>
    `<path d="M${x + ms * perMs} ${TOP - 12}V${height - 24}" stroke="${line}"/>` +
    label(x + ms * perMs, TOP - 16, text, 'soft middle')
  return {
    width: WIDTH,
    height,
    title: 'The slowest request of each fault of the store, and the time after which the store decided again',
    shapes: [
      label(0, 16, 'When the store fails', 'bold'),
      label(FIRST - 30, 16, 'answered 200, of all', 'bold end'),
      label(FIRST, 16, 'the slowest request', 'bold'),
      label(SECOND, 16, 'the store decides again after', 'bold'),
      ...[0, 50, 100].map(ms => scale(FIRST, ms, FAST, `${ms} ms`)),
      ...[0, 1000, 2000].map(ms => scale(SECOND, ms, SLOW, `${ms / 1000} s`)),
      ...faults.flatMap(({ name, good, slowest, backAfter }, i) => {
        const y = TOP + i * ROW
        return [
          label(0, y + 15, name),
          label(FIRST - 30, y + 15, good, 'soft end'),
          `<rect x="${FIRST}" y="${y + 3}" width="${Math.max(1, slowest * FAST)}" height="16" rx="2" fill="${admitted}"/>`,
          `<rect x="${SECOND}" y="${y + 3}" width="${Math.max(1, backAfter * SLOW)}" height="16" rx="2" fill="${refused}"/>`,
        ]
      }),
      `<path d="M0 ${TOP - 8}H${WIDTH}" stroke="${soft}" stroke-width="0.5"/>`,
      label(
        0,
        height - 6,
        'A request may wait 100 ms for the store, and the store may take 2 s to decide again.',
        'soft',
      ),
    ],
  }
}

/** The rows of the table in which the store failed and came back, of all its columns those that the picture shows. */
function measuredFaults(): readonly Fault[] {
  const [, table = ''] =
    /<!-- worst faults -->([\s\S]*?)<!-- \/worst faults -->/.exec(readSource('apps/faults/RESULTS.md')) ?? []
  const rows = (table.match(/^\|.*\|$/gm) ?? []).slice(2).map(row => row.split('|').map(cell => cell.trim()))
  return rows.flatMap(([, name = '', , good = '', slowest = '', open = '', , , backAfter = '']) => {
    if (open === '–' || backAfter === '–') return []
    return [{ name, good, slowest: Number.parseFloat(slowest), backAfter: Number.parseFloat(backAfter) }]
  })
}
