import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'
import type { Screen } from '@halt/demo-kit/screen'

import { type Asker, now, type Told } from './asking.ts'
import { coloured, picture, plain } from './picture.ts'
import { jain, Record } from './record.ts'
import { type Ask, BACKEND, LOUD, QUIET, type Tenant, TENANTS } from './tenants.ts'

/** What a show needs. */
export interface Show {
  readonly screen: Screen
  /** A limiter that looks at the counters. */
  readonly limiter: RateLimiter<Ask>
  /** Starts what asks for the tenants. */
  readonly start: (tell: (told: Told) => void) => Promise<Asker>
  /** How long all tenants ask, and how long the loud one asks alone, in milliseconds. */
  readonly together: number
  readonly alone: number
}

// Until the burst is used up, everybody gets what it asks for. Then the reserve comes back. Milliseconds.
const SETTLING = 2000
// In this time, half of the reserve comes back. A process that stands still for longer does not compete meanwhile.
const STANDSTILL = (BACKEND.burst / 4 / BACKEND.limit) * 1000

/** Shows what tenants get of a limit, and ends on a verdict. Resolves to true if all was as it should be. */
export async function show({ screen, limiter, start, together, alone }: Show): Promise<boolean> {
  const record = new Record()
  const play = async (ms: number): Promise<void> => {
    const end = now() + ms
    while (now() < end) {
      await sleep(Math.min(100, Math.max(1, end - now())))
      line = await said(limiter)
      screen.draw(draw(now() - 1000, now()))
    }
  }
  let line: string | undefined
  const draw = (from: number, to: number): string[] => {
    const rateOf = ({ name }: Tenant) => record.rateOf(name, from, to)
    const scene = { rateOf, columns: Math.max(20, screen.width - 45), line }
    return picture(scene, screen.hasColours ? coloured : plain)
  }

  screen.print(
    `\n${TENANTS.length} tenants share ${BACKEND.limit} requests per second. One sends four times that`,
  )
  const began = now()
  const asker = await start(told => record.note(told))
  const settled = now() + SETTLING
  let idle = 0
  try {
    await play(SETTLING + together)
    idle = now()
    // The last picture is of the whole time that is judged, because a busy machine may tell nothing for a second.
    screen.end(draw(settled, idle))
    screen.print(`\nEverybody else goes idle. ${LOUD} may have everything`)
    asker.let('loud')
    await play(SETTLING + alone)
  } finally {
    await asker.stop()
  }
  const over = now()
  // Only now has every process told all.
  screen.end(draw(idle + SETTLING, idle + SETTLING + alone))

  const sumOf = (names: readonly string[]) => {
    const sums = names.map(name => record.of(name, settled, idle))
    return sums.reduce((a, b) => ({ asked: a.asked + b.asked, got: a.got + b.got }))
  }
  const quiet = sumOf(QUIET)
  const heavy = TENANTS.filter(({ name }) => !QUIET.includes(name))
  const shares = heavy.map(({ name, weight }) => record.of(name, settled, idle).got / weight)
  const most = BACKEND.burst + (BACKEND.limit * (over - began)) / 1000
  const last = record.of(LOUD, idle + SETTLING, idle + SETTLING + alone)
  const whole = (BACKEND.limit * alone) / 1000
  const check = (what: string, ok: boolean): boolean => {
    screen.print(`  ${ok ? '✓' : '✗'} ${what}`)
    return ok
  }
  screen.print('')
  const isWithin = check('nothing was admitted beyond the limit', record.of(undefined).got <= most)
  if (record.stoodStill > STANDSTILL) {
    screen.print(`  · the machine stood still for ${Math.round(record.stoodStill)} ms`)
    screen.print(
      isWithin
        ? '\nThe limit held. The shares are not judged, because too much else runs on this machine.'
        : '\nThe limit did not hold.',
    )
    return isWithin
  }
  const isFair = [
    check(`the quiet tenants got ${quiet.got} of the ${quiet.asked} requests that they sent`, isMost(quiet)),
    check(
      `those that want more got the same for their weight: Jain's index is ${jain(shares).toFixed(4)}`,
      jain(shares) >= 0.99,
    ),
    check(
      `${LOUD} alone got ${Math.round((100 * last.got) / whole)} % of the limit`,
      // What comes back while the machine stands still is asked for later, which may be after the end.
      last.got + (BACKEND.limit * record.stoodStill) / 1000 >= 0.9 * whole,
    ),
  ].every(Boolean)
  const held = isWithin ? 'The limit held' : 'The limit did not hold'
  screen.print(`\n${held}. ${isFair ? 'Everybody' : 'Not everybody'} got a fair share.`)
  return isWithin && isFair
}

function isMost({ asked, got }: { readonly asked: number; readonly got: number }): boolean {
  return asked > 0 && got >= 0.99 * asked
}

/** What the limiter tells of the shares. */
async function said(limiter: RateLimiter<Ask>): Promise<string> {
  const tenant = TENANTS.find(({ name }) => name === LOUD)!
  const { decision, policies } = await limiter.explain({ tenant })
  const fair = policies[0]?.fair
  if (decision?.degraded !== false || fair === undefined) return 'limiter.explain: the store does not answer'
  if (!fair.isScarce) return 'limiter.explain: there is plenty, so nobody waits for a turn'
  const ahead = Math.max(0, fair.ahead).toFixed(1)
  return `limiter.explain: scarce, a share is ${fair.level.toPrecision(3)}/s now, ${LOUD} is ${ahead} ahead of its own`
}
