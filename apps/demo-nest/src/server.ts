// PORT=3000 REDIS_URL=redis://127.0.0.1:6379 node dist/server.js
import { listen } from './listen.ts'
import { openStore } from './store.ts'

const { store, where, close } = await openStore()
const server = await listen({ store }, Number(process.env['PORT'] ?? 3000))
console.log(
  `Listening on ${server.url}, counters ${where}; other services: TCP port ${server.servicePort}. Stop with Ctrl-C.`,
)

async function stop(): Promise<void> {
  await server.close()
  await close()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
