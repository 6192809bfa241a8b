// npm run demo -- nest            shows what a client sees, and ends
// npm run demo -- nest --serve    goes on, for requests of your own
import { randomUUID } from 'node:crypto'

import { listen } from './listen.ts'
import { show } from './show.ts'
import { openStore } from './store.ts'

async function demo(): Promise<boolean> {
  const { store, where, close } = await openStore(`halt:demo:${randomUUID()}:`)
  const server = await listen({ store }, 0)
  try {
    console.log(`Halt on Nest, counters ${where}. Limit, Remaining and Reset are the RateLimit-* headers.`)
    return await show(server, line => console.log(line))
  } finally {
    await server.close()
    await close()
  }
}

if (process.argv.includes('--serve')) await import('./server.ts')
else {
  const ok = await demo()
  const serve = 'npm run demo -- nest --serve'
  const curl = 'curl -i -H "X-Demo-User: ann" http://localhost:3000/quotes'
  console.log(ok ? `\nTo try it yourself: ${serve}, then ${curl}` : '\nThis is not what a client should see.')
  process.exitCode = ok ? 0 : 1
}
