// A process of its own that asks one limiter: `node process-child.mjs <url> <prefix> <skew ms> <asks> <policy>`; prints how many were let in.
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { createViteServer } from 'vitest/node'

const [url, prefix, skew, asks, policy] = process.argv.slice(2)

// Before anything reads it: this process's clock is wrong.
const real = Date.now
Date.now = () => real() + Number(skew)

// Node 20 runs no TypeScript, and the tests are of the sources.
const vite = await createViteServer({
  root: fileURLToPath(new URL('..', import.meta.url)),
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  resolve: { conditions: ['halt-source'] },
  ssr: { resolve: { conditions: ['halt-source', 'node'] } },
})
const { RedisStore } = await vite.ssrLoadModule('/src/index.ts')
const { RateLimiter } = await vite.ssrLoadModule('@halt/core')

const client = new Redis(url)
const store = new RedisStore({ client, prefix })
const limiter = new RateLimiter({ store, policy: JSON.parse(policy), storeTimeout: '20s' })
for (let i = 0; i < 500; i++) {
  try {
    await store.probe()
    break
  } catch {
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

let admitted = 0
for (let i = 0; i < Number(asks); i += 64) {
  const decisions = await Promise.all(
    Array.from({ length: Math.min(64, asks - i) }, () => limiter.consume({ user: '42' })),
  )
  for (const { allowed, degraded } of decisions) {
    if (degraded !== false) throw new Error(`degraded: ${degraded}`)
    if (allowed) admitted++
  }
}
console.log(admitted)
await limiter.close()
await client.quit()
await vite.close()
process.exit(0)
