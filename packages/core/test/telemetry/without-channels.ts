// Decides twice in a process without diagnostics_channel, and prints what it decided and what it heard.
import { subscribe } from 'node:diagnostics_channel'

const heard: unknown[] = []
subscribe('halt:decision', message => heard.push(message))
Object.defineProperty(process, 'getBuiltinModule', { value: undefined })

// Loaded here, because core opens its channels while it loads.
const { RateLimiter } = await import('../../src/index.ts')
const { ManualClock, ReferenceStore } = await import('../../src/testing/index.ts')

const store = new ReferenceStore(new ManualClock().now)
const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 1, window: 60 } })
const decisions = [await limiter.consume('x'), await limiter.consume('x')]
console.log(JSON.stringify({ allowed: decisions.map(({ allowed }) => allowed), heard: heard.length }))
