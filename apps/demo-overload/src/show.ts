import { fork } from 'node:child_process'

import type { Screen } from '@halt/demo-kit/screen'

import { type Crowd, visit, type Visit } from './customers.ts'
import { picture } from './picture.ts'

/** What a show needs. */
export interface Show {
  readonly screen: Screen
  /** The script of the shop's process. */
  readonly script: string
  /** The calm before and after the surge, and the surge, in milliseconds. */
  readonly calmMs: number
  readonly surgeMs: number
}

const PATHS = ['/checkout', '/products', '/export']
const PER_SECOND = { '/checkout': 15, '/products': 25, '/export': 600 }

/** Shows the shop without a shedder, and with one. Resolves to true if checkout lived with it. */
export async function show(options: Show): Promise<boolean> {
  const { screen } = options
  screen.print('A small shop: its database answers 125 queries a second. 40 customers a second look and pay.')
  screen.print('Then a partner asks for 600 exports a second. Customers leave after a second.')
  screen.print('\nWithout a shedder')
  const before = await perform(options, 'bare')
  screen.print('\nThe same with loadShedder: checkout is critical, exports are batch')
  const after = await perform(options, 'guarded')
  const [dead, alive] = [answered(before, '/checkout'), answered(after, '/checkout')]
  const lived = alive > 0.9
  screen.print(
    `\n  ${lived ? '✓' : '✗'} checkout: ${percent(alive)} answered with the shedder, ${percent(dead)} without`,
  )
  return lived
}

/** The share of a path's visits that were answered. */
function answered(visits: readonly Visit[], path: string): number {
  const own = visits.filter(each => each.path === path)
  return own.filter(({ fate }) => fate === 'answered').length / own.length
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

async function perform({ screen, script, calmMs, surgeMs }: Show, kind: string): Promise<readonly Visit[]> {
  const shop = fork(script, [kind])
  const visits: Visit[] = []
  const length = 2 * calmMs + surgeMs
  const surge = [calmMs, calmMs + surgeMs] as const
  let said: string | undefined
  const draw = (): string[] =>
    picture({ paths: PATHS, visits, length, surge, said, hasColours: screen.hasColours })
  try {
    const port = await new Promise<number>((resolve, reject) => {
      shop.once('error', reject)
      shop.once('exit', code => reject(new Error(`the shop ended with ${code}`)))
      shop.on('message', (told: { port?: number; said?: string }) => {
        if (told.port !== undefined) resolve(told.port)
        said = told.said ?? said
      })
    })
    const crowd = (path: keyof typeof PER_SECOND, from: number, to: number): Crowd => ({
      path,
      perSecond: PER_SECOND[path],
      from,
      to,
    })
    const drawing = setInterval(() => screen.draw(draw()), 100)
    try {
      const crowds = [
        crowd('/checkout', 0, length),
        crowd('/products', 0, length),
        crowd('/export', ...surge),
      ]
      await visit(port, crowds, each => visits.push(each))
    } finally {
      clearInterval(drawing)
    }
    screen.end(draw())
    return visits
  } finally {
    shop.disconnect()
  }
}
