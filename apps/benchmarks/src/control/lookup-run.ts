// Prints the CPU nanoseconds of one look-up of an address among 10 000 networks: within one of them, and within none.
import { Control } from '@halt/control'
import { InMemoryStore } from '@halt/store-memory'

import { cpuPerStep } from '../cpu.ts'
import { ENTRIES, networks, put } from './entries.ts'
import { stateOf } from './state.ts'

const store = new InMemoryStore()
await put(store.document('control'), networks())
const control = new Control({ store })
await control.refresh()
const state = stateOf(control)
if (state === undefined) throw new Error('The entries were not taken over.')

const clientsFrom = (first: number) =>
  Array.from({ length: 4096 }, (_, i) => ({
    address: {
      text: '',
      version: 4 as const,
      bits: [(first + ((i * 7919) % ENTRIES) * 16 + 5) | 0, 0, 0, 0] as const,
    },
    ip: () => '',
    user: () => undefined,
    apiKey: () => undefined,
    customs: () => [],
  }))
const steps = Number(process.argv[2])
const measure = async (first: number, isBlocked: boolean): Promise<number> => {
  const clients = clientsFrom(first)
  const run = (count: number): void => {
    let found = 0
    for (let i = 0; i < count; i++) if (state.accessOf(clients[i & 4095]!, Date) !== undefined) found++
    if (found !== (isBlocked ? count : 0)) throw new Error(`${found} of ${count} addresses were found.`)
  }
  run(steps / 5)
  return cpuPerStep(steps, () => run(steps))
}
console.log(
  JSON.stringify({ within: await measure(10 << 24, true), outside: await measure(203 << 24, false) }),
)
process.exit(0)
