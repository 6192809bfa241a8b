import { arrow, box, type Colours, label, type Picture } from './svg.ts'

const [BOX, TALL] = [140, 70]
const [TOP, LOW] = [40, 180]
const COLUMN = 165

/** The steps of a check in their order: the column, the top, and the words. */
const STEPS: readonly (readonly [column: number, top: number, ...lines: string[]])[] = [
  [0, TOP, 'a request', 'its view'],
  [1, TOP, 'the guard', 'skip? its cost?'],
  [2, TOP, 'the keys', 'exempt? whose', 'counters?'],
  [3, TOP, 'the store', 'judges all policies', 'at one instant'],
  [4, TOP, 'all admit', 'all are charged: 200'],
  [4, LOW, 'one refuses', 'nothing is charged:', '429, Retry-After'],
  [3, LOW, 'onStoreError', 'decides instead:', 'local, open, closed'],
]

/** The way of a request through a check. */
export function checkPicture(colours: Colours): Picture {
  const x = (column: number): number => column * COLUMN
  const middle = TOP + TALL / 2
  const { admitted, refused, soft } = colours
  return {
    width: x(4) + BOX + 1,
    height: LOW + TALL + 10,
    title:
      'The steps of a check: the guard, the keys, the store, which charges all policies or none, and the way without the store',
    shapes: [
      label(0, 16, 'One check: one call of the store', 'bold'),
      ...STEPS.map(([column, top, ...lines]) => box(x(column), top, BOX, TALL, lines, colours)),
      ...[0, 1, 2].map(column =>
        arrow(
          [
            [x(column) + BOX, middle],
            [x(column + 1) - 2, middle],
          ],
          soft,
        ),
      ),
      arrow(
        [
          [x(3) + BOX, middle],
          [x(4) - 2, middle],
        ],
        admitted,
      ),
      arrow(
        [
          [x(3) + BOX, middle + 18],
          [x(4) - 12, middle + 18],
          [x(4) - 12, LOW + 22],
          [x(4) - 2, LOW + 22],
        ],
        refused,
      ),
      arrow(
        [
          [x(3) + BOX / 2, TOP + TALL],
          [x(3) + BOX / 2, LOW - 2],
        ],
        soft,
      ),
      label(x(3) + BOX / 2 - 10, TOP + TALL + 30, 'no reply', 'soft end'),
      label(x(3) + BOX / 2 - 10, TOP + TALL + 48, 'in 100 ms', 'soft end'),
    ],
  }
}
