// One of several processes whose agents ignore refusals. Prints how often each tool ran for each user.
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import { isLimited } from '@halt/core'

import { CALLS, crowd, USERS } from './crowd.ts'

const [url = '', prefix = ''] = process.argv.slice(2)
const client = new Redis(url)
const { guard, limiter } = crowd(new RedisStore({ client, prefix }))

const ran: Record<string, number> = {}
let asked = 0
async function agent(): Promise<void> {
  while (asked < CALLS) {
    const call = asked++
    const user = USERS[call % USERS.length] as string
    const tool = call % 3 === 0 ? 'send_mail' : 'search'
    // Every seventh mail fails, and costs nothing.
    const fails = tool === 'send_mail' && call % 7 === 0
    const work = guard.wrap(
      tool,
      () => {
        if (fails) throw new Error('no such address')
        ran[`${user} ${tool}`] = (ran[`${user} ${tool}`] ?? 0) + 1
      },
      user,
    )
    await work().catch((error: unknown) => {
      if (!isLimited(error) && (error as Error).message !== 'no such address') throw error
    })
  }
}
await Promise.all(Array.from({ length: 20 }, agent))
await limiter.close()
client.disconnect()
console.log(JSON.stringify(ran))
