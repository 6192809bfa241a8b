import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Control } from '@halt/control'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

/** How many seconds a block takes to reach the last of some processes. */
export async function timeToBlock(url: string, processes: number, prefix: string): Promise<number> {
  const script = fileURLToPath(new URL('obey-run.js', import.meta.url))
  const children: ChildProcess[] = []
  const client = new Redis(url)
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  try {
    for (let i = 0; i < processes; i++) children.push(fork(script, [url, prefix]))
    await Promise.all(children.map(child => once(child, 'message')))
    const reached = children.map(async child => Number(((await once(child, 'message')) as [number])[0]))
    const start = Date.now()
    await control.block({ user: 'abuser' }, { for: '1h' })
    return (Math.max(...(await Promise.all(reached))) - start) / 1000
  } finally {
    for (const child of children) child.disconnect()
    control.close()
    await store.close()
    client.disconnect()
  }
}
