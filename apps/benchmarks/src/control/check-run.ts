// Prints the CPU nanoseconds of one check, with entries of a kind or with none.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { cpuPerStep } from '../cpu.ts'
import { networks, overrides, put, users } from './entries.ts'

const KINDS = { none: () => [], networks, overrides, users } as const

const [, , kind = '', by = '', steps = ''] = process.argv
const store = new InMemoryStore()
const entries = KINDS[kind as keyof typeof KINDS]()
await put(store.document('control'), entries)
const control = new Control({ store })
await control.refresh()
const keyStrategy = by === 'address' ? 'ip' : 'user'
const policy = { name: `per_${keyStrategy}`, limit: 2_000_000_000, window: 86_400, keyStrategy } as const
const limiter = new RateLimiter({ store, policy, ...(kind === 'none' ? {} : { control }) })
const request = {
  method: 'GET',
  url: '/',
  headers: {},
  socket: { remoteAddress: '203.0.113.7' },
  user: { id: '42' },
}
const run = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await limiter.check(request)
}
const count = Number(steps)
await run(count / 5)
const nanos = await cpuPerStep(count, () => run(count))
console.log(JSON.stringify({ nanos }))
process.exit(0)
