// Random histories of operators, outages and losses: in the end the last act on each client holds, everywhere.
import { afterEach, expect, it, vi } from 'vitest'

import { beats, Server } from './server.ts'

let server: Server | undefined
afterEach(() => server?.close())

/** Random numbers that a seed repeats. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761
  return below => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x6d2b_79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

/** @param loses whether the store loses data */
async function play(seed: number, loses: boolean): Promise<void> {
  const own = (server = new Server())
  const random = randomOf(seed)
  const all = Array.from({ length: 3 }, () => own.process())
  let copy = own.documents
  const wanted = new Set<string>()
  const log: string[] = []
  /** Waits for a call, which hangs while the store does. */
  const settled = async <T>(call: Promise<T>): Promise<T> => {
    await vi.advanceTimersByTimeAsync(own.fails === 'hanging' ? 1_100 : 1)
    return call
  }
  await beats()
  for (let step = 0; step < 25; step++) {
    const i = random(3)
    const { control } = all[i] as (typeof all)[number]
    const user = `u${random(4)}`
    const what = random(14)
    log.push(`${i} ${user} ${what} ${own.fails}`)
    if (what < 4) {
      await settled(control.block({ user }))
      wanted.add(user)
    } else if (what < 7) {
      if (await settled(control.unblock({ user }))) wanted.delete(user)
    } else if (what === 7 && loses) own.flush()
    else if (what === 8) copy = own.documents
    else if (what === 9 && loses) own.documents = copy
    else if (what === 10) own.fails = ([undefined, 'refused', 'hanging'] as const)[random(3)]
    else if (what === 11) own.losesAnswer = true
    else if (what === 12) {
      // Another process acts on another client while this one acts, and all read the document.
      const other = all[(i + 1) % 3] as (typeof all)[number]
      const acts = [control.block({ user }), other.control.block({ user: 'other' })]
      await Promise.all([...acts, beats(2)])
      wanted.add(user).add('other')
    } else await beats()
  }
  own.fails = undefined
  await beats(8)
  const story = `seed ${seed}: ${log.join(', ')}`
  expect(own.blocked(), story).toEqual([...wanted].toSorted())
  for (const each of all) {
    expect(each.blocked().toSorted(), story).toEqual([...wanted].toSorted())
    expect(
      each.control.inForce().every(({ scope }) => scope === undefined),
      story,
    ).toBe(true)
  }
  if (!loses)
    expect(
      all.flatMap(({ codes }) => codes()),
      story,
    ).not.toContain('HALT_W_CONTROL_LOST')
  own.close()
}

it('the last act on each client holds in the store and in every process', async () => {
  for (let seed = 1; seed <= 50; seed++) await play(seed, true)
})

it('no process warns of a loss where the store loses nothing', async () => {
  for (let seed = 1; seed <= 50; seed++) await play(seed, false)
})
