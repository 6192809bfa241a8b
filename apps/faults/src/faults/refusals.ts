import { setTimeout as sleep } from 'node:timers/promises'

import { ask } from '../../../../tools/servers.ts'
import type { Fault } from '../fault.ts'
import { every, stop } from '../repetition.ts'
import { USER } from '../world.ts'

// Loading takes a millisecond per key, so this many take as long as a fault of the short form.
const KEYS = 3_000
const FILL = `EVAL "for i=1,${KEYS} do redis.call('SET','x'..i,string.rep('v',1000)) end return 1" 0`
const SLOWLY = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']
const loading = new WeakMap<object, Promise<void>>()

/** Faults in which a server answers, but refuses to work. */
export const refusals: readonly Fault[] = [
  {
    name: 'a read-only replica',
    on: ['redis', 'valkey'],
    begin: world => world.ask('REPLICAOF 127.0.0.1 1'),
    end: world => world.ask('REPLICAOF NO ONE'),
  },
  {
    name: 'loading its data (LOADING)',
    on: ['redis', 'valkey'],
    async begin(world) {
      await world.ask(FILL)
      await world.ask('SAVE')
      await world.first.stop()
      const kept = ['--dir', world.folder, '--dbfilename', 'kept.rdb']
      loading.set(world, world.restart(...kept, ...SLOWLY))
    },
    async end(world) {
      await loading.get(world)
    },
  },
  {
    name: 'out of memory (noeviction)',
    on: ['redis', 'valkey', 'cluster'],
    begin: world => world.ask('CONFIG SET maxmemory 1'),
    end: world => world.ask('CONFIG SET maxmemory 0'),
  },
  {
    name: 'no permission (NOPERM)',
    on: ['redis', 'valkey', 'cluster'],
    begin: world => world.ask(`ACL SETUSER ${USER.username} -evalsha -eval`),
    end: world => world.ask(`ACL SETUSER ${USER.username} +evalsha +eval`),
  },
  {
    name: 'SCRIPT FLUSH, over and over',
    on: ['redis', 'valkey', 'cluster'],
    begin: world => Promise.resolve(every(world, 20, () => world.ask('SCRIPT FLUSH'))),
    end: stop,
    over: () => ({ known: 0, fresh: 0 }),
  },
  {
    name: 'slots that migrate',
    on: ['cluster'],
    begin: world => Promise.resolve(every(world, 0, () => migrate(world.masters.map(({ port }) => port)))),
    end: stop,
  },
]

/** Moves the slots of both abusers and of some good keys to the next master, with all keys that they hold. */
async function migrate(ports: readonly number[]): Promise<void> {
  const names = ['abuser', 'newcomer', ...Array.from({ length: 10 }, (_, i) => `good${i}-0`)]
  const ids = await Promise.all(ports.map(port => ask(port, 'CLUSTER MYID')))
  for (const name of names) {
    const key = `halt:{custom:${name}}:p:t`
    const slot = Number(await ask(ports[0] as number, `CLUSTER KEYSLOT ${key}`))
    const owner = await ownerOf(ports, ids, key, slot)
    const target = (owner + 1) % ports.length
    const [from, to] = [ports[owner] as number, ports[target] as number]
    await ask(to, `CLUSTER SETSLOT ${slot} IMPORTING ${ids[owner]}`)
    await ask(from, `CLUSTER SETSLOT ${slot} MIGRATING ${ids[target]}`)
    await sleep(5)
    for (let held = key; held !== ''; held = await ask(from, `CLUSTER GETKEYSINSLOT ${slot} 1`))
      await ask(from, `MIGRATE 127.0.0.1 ${to} ${held} 0 5000`)
    for (const port of [to, from, ...ports]) await ask(port, `CLUSTER SETSLOT ${slot} NODE ${ids[target]}`)
  }
}

/** The index of the master that serves a key: the one that does not redirect. */
async function ownerOf(
  ports: readonly number[],
  ids: readonly string[],
  key: string,
  slot: number,
): Promise<number> {
  for (let round = 0; round < 10; round++) {
    for (const [i, port] of ports.entries()) {
      const serves = ask(port, `EXISTS ${key}`).then(
        () => true,
        () => false,
      )
      if (await serves) return i
    }
    // When messages between nodes cross, each may take the other for the owner, for good. An operator would then assign
    // the slot to the node that has its keys. So does this.
    const counts = await Promise.all(ports.map(port => ask(port, `CLUSTER COUNTKEYSINSLOT ${slot}`)))
    const holder = Math.max(
      0,
      counts.findIndex(count => Number(count) > 0),
    )
    for (const port of [ports[holder] as number, ...ports])
      await ask(port, `CLUSTER SETSLOT ${slot} NODE ${ids[holder]}`)
    await ask(ports[holder] as number, 'CLUSTER BUMPEPOCH')
    await sleep(20)
  }
  throw new Error(`No master serves ${key}`)
}
