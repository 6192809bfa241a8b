import { Redis } from 'ioredis'

import { ask } from '../../../../tools/servers.ts'
import type { Fault } from '../fault.ts'
import { POLICY } from '../load.ts'
import type { World } from '../world.ts'
import { every, stop } from '../repetition.ts'

const FLOOD = `EVAL "for i=1,200 do redis.call('SET','x'..i..':'..ARGV[1],string.rep('v',1000)) end return 1" 0`

/** Faults in which answers come late or never, or counters vanish. */
export const losses: readonly Fault[] = [
  {
    // So late that no delay of this process can hide it.
    name: '+600 ms, with jitter',
    on: ['redis', 'valkey'],
    wish: { proxy: true },
    begin: async world => world.proxy?.delay(() => 500 + Math.random() * 200),
    end: async world => world.proxy?.delay(() => 0),
  },
  lost('own'),
  lost('shared'),
  {
    name: 'eviction (allkeys-lru)',
    on: ['redis', 'valkey'],
    async begin(world) {
      await watch(world)
      const used = Number(/^used_memory:(\d+)/m.exec(await ask(world.first.port, 'INFO memory'))?.[1])
      await world.ask('CONFIG SET maxmemory-policy allkeys-lru')
      await world.ask(`CONFIG SET maxmemory ${used + 2_000_000}`)
      let round = 0
      every(world, 10, () => world.ask(`${FLOOD} ${round++}`))
    },
    async end(world) {
      await stop(world)
      await world.ask('CONFIG SET maxmemory 0')
    },
    async verify(world) {
      const { known, fresh } = world.counted
      return { note: `evicted ${known} and ${fresh} times` }
    },
    // A key starts anew each time that its counter is evicted.
    over: ({ counted }) => ({ known: counted.known * POLICY.limit, fresh: counted.fresh * POLICY.limit }),
  },
]

/** Answers that are lost after the server has done the work. 20 calls are counted 20 times. */
function lost(connection: 'own' | 'shared'): Fault {
  const asked = 20
  return {
    name: connection === 'own' ? 'answers lost' : 'answers lost, shared connection',
    on: ['redis', 'valkey'],
    wish: { proxy: true },
    connection,
    async begin(world, _application, limiter) {
      world.proxy?.mute()
      const roomy = { ...POLICY, name: 'roomy', limit: 1_000 }
      for (let i = 0; i < asked; i++) void limiter.consume('counted', { policy: roomy })
    },
    async end(world) {
      // A shared client may wait for ever, so the network closes its connection here.
      if (connection === 'shared') world.proxy?.cut()
    },
    async verify(world) {
      // Big-endian doubles: the second is the debt, the third the cost of a unit.
      const script = `EVAL "local v=redis.call('GET','halt:{custom:counted}:roomy:t') return tostring(struct.unpack('>d',v,9)/struct.unpack('>d',v,17))" 0`
      // Less than a unit comes back every 3.6 s, so nothing has come back yet.
      const counted = Math.round(Number(await ask(world.first.port, script)))
      return {
        note: `${counted} counted of ${asked}`,
        missed: counted === asked ? undefined : `lost answers: ${counted} counted of ${asked}`,
      }
    },
  }
}

/** Counts how often the abusers' counters are evicted. */
async function watch(world: World): Promise<void> {
  await world.ask('CONFIG SET notify-keyspace-events Ee')
  const watcher = new Redis(world.first.port)
  world.defer(() => watcher.disconnect())
  watcher.on('error', () => {})
  watcher.on('message', (_channel: string, key: string) => {
    if (key === 'halt:{custom:abuser}:p:t') world.counted.known++
    if (key === 'halt:{custom:newcomer}:p:t') world.counted.fresh++
  })
  await watcher.subscribe('__keyevent@0__:evicted')
}
