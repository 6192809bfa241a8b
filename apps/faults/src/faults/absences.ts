import { setTimeout as sleep } from 'node:timers/promises'

import { ask, type RunningServer } from '../../../../tools/servers.ts'
import type { Fault } from '../fault.ts'

/** Faults in which no server answers. */
export const absences: readonly Fault[] = [
  {
    name: 'gone, and back empty',
    on: ['redis', 'valkey'],
    begin: world => world.first.stop(),
    // The known abuser stays refused, although the server has lost its counter.
    end: world => world.restart(),
  },
  {
    name: 'restarted empty, unnoticed',
    on: ['redis', 'valkey'],
    // The server is back so soon that hardly a request finds none.
    async begin(world) {
      await world.first.stop()
      await world.restart()
    },
    end: () => Promise.resolve(),
  },
  {
    name: 'not there at the start',
    on: ['redis', 'valkey'],
    fromStart: true,
    begin: () => Promise.resolve(),
    end: world => world.restart(),
  },
  {
    name: 'hung (SIGSTOP)',
    on: ['redis', 'valkey', 'cluster'],
    async begin(world) {
      for (const { process } of world.servers) process.kill('SIGSTOP')
    },
    async end(world) {
      for (const { process } of world.servers) process.kill('SIGCONT')
      // A cluster whose nodes were all stopped first marks them as failed.
      if (world.name === 'cluster') for (const { port } of world.servers) await isWhole(port)
    },
  },
  {
    name: 'a master killed, and failed over',
    on: ['cluster'],
    wish: { replicas: true },
    begin: world => world.first.stop(),
    async end(world) {
      const replica = world.servers[3] as RunningServer
      while (!(await ask(replica.port, 'INFO replication')).includes('role:master')) await sleep(10)
      world.servers = world.servers.slice(1)
      for (const { port } of world.servers) await isWhole(port)
    },
  },
  {
    name: 'client closed by the app',
    on: ['redis', 'valkey', 'cluster'],
    begin: (_world, application) => application.close(),
    end: (_world, application) => application.reopen(),
  },
]

async function isWhole(port: number): Promise<void> {
  while (!(await ask(port, 'CLUSTER INFO')).includes('cluster_state:ok')) await sleep(10)
}
