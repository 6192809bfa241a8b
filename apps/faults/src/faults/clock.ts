import type { Fault } from '../fault.ts'

const HOUR_MS = 3_600_000
const real = Date.now

/** This process's clock jumps: it is an hour ahead and an hour behind by turns, at each reading. */
export const clock: Fault = {
  name: "the app's clock jumps by an hour",
  on: ['redis', 'valkey', 'cluster'],
  alone: true,
  async begin() {
    let looks = 0
    Date.now = () => real() + (looks++ % 2 === 0 ? HOUR_MS : -HOUR_MS)
  },
  async end() {
    Date.now = real
  },
  over: () => ({ known: 0, fresh: 0 }),
}
