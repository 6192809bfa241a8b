// What the tests of single situations of a town share.
import { expect, onTestFinished } from 'vitest'

import { endingOf } from './endings.ts'
import { type Allowance, dueOf, excessesOf, failures, heldTooLong, STEADY } from './judges.ts'
import { makeTown, type Town, type TownOptions } from './town.ts'

/** A town that ends with its test. */
export async function aTown(options: TownOptions): Promise<Town> {
  const town = await makeTown(options)
  onTestFinished(() => town.end())
  return town
}

/** Workers of a client that ask again after each start. */
export function workers(town: Town, count: number, options: Parameters<Town['work']>[0] = {}): void {
  const processes = town.processes.length
  for (let i = 0; i < count; i++) town.work({ process: i % processes, ...options })
}

/** Expects that at least a share of what is due has started, and never more than each bucket allows. */
export function expectDue(town: Town, share = 0.97, allowance: Allowance = STEADY): void {
  const due = dueOf(town).length
  expect(town.starts.length).toBeGreaterThanOrEqual(Math.floor(share * due))
  expectWithin(town, allowance)
}

/** Expects that no counter was exceeded in any interval, and that each caller was answered in time. */
export function expectWithin(town: Town, allowance: Allowance = STEADY): void {
  const over = excessesOf(town, allowance).filter(({ calls }) => calls > allowance.calls)
  expect(over).toEqual([])
  expect(failures(town)).toEqual([])
  expect(heldTooLong(town)).toEqual([])
}

/** Expects that nothing is charged for nobody once the last caller has gone. */
export async function expectNothingLeft(town: Town, doAllLeave = true): Promise<void> {
  const { said } = await endingOf(town, doAllLeave)
  expect(said).toEqual([])
}

/** The most starts in any time of some milliseconds. */
export function mostWithin(town: Town, ms: number): number {
  const instants = town.starts.map(({ endedAt }) => endedAt / 1000)
  let [most, first] = [0, 0]
  for (const [i, at] of instants.entries()) {
    while (at - instants[first]! > ms) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}
