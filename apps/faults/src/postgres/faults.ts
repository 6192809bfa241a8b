import type { RateLimiter } from '@halt/core'

import { every, stop } from '../repetition.ts'
import type { PostgresFault } from './outage.ts'
import { ROLE } from './world.ts'

const ASKED = 20
// A window longer than any run, so that nothing comes back.
const ROOMY = { name: 'roomy', limit: 1_000, window: '30d', algorithm: 'fixed-window' } as const

/** The faults of a PostgreSQL, in the order of the table. */
export const postgresFaults: readonly PostgresFault[] = [
  {
    name: 'killed, and recovers from the crash',
    begin: ({ server }) => server.end('SIGKILL'),
    end: ({ server }) => server.start(),
  },
  {
    name: 'restarted',
    isLongOnly: true,
    // It is back so soon that hardly a request finds none.
    async begin({ server }) {
      await server.end('SIGINT')
      await server.start()
    },
    end: () => Promise.resolve(),
  },
  {
    name: 'not there at the start',
    isLongOnly: true,
    fromStart: true,
    begin: () => Promise.resolve(),
    end: ({ server }) => server.start(),
  },
  {
    name: 'hung (SIGSTOP)',
    begin: async ({ server }) => server.freeze(),
    end: async ({ server }) => server.thaw(),
  },
  {
    name: 'the network is cut',
    isLongOnly: true,
    begin: async ({ proxy }) => proxy.refuse(true),
    end: async ({ proxy }) => proxy.refuse(false),
  },
  {
    name: 'connections end, over and over',
    isLongOnly: true,
    begin: async world => every(world, 100, () => world.disconnect()),
    end: stop,
  },
  {
    name: '+600 ms, with jitter',
    isLongOnly: true,
    begin: async ({ proxy }) => proxy.delay(() => 500 + Math.random() * 200),
    end: async ({ proxy }) => proxy.delay(() => 0),
  },
  {
    name: 'answers lost',
    async begin({ proxy }, limiter) {
      proxy.mute()
      for (let i = 0; i < ASKED; i++) void limiter.consume('counted', { policy: ROOMY })
    },
    // A client without a timeout waits for ever, so the network closes its connection here.
    end: async ({ proxy }) => proxy.cut(),
    verify: countedOnce,
  },
  {
    name: 'read-only',
    isLongOnly: true,
    begin: world => world.run(...readOnly('on')),
    end: world => world.run(...readOnly('off')),
  },
  {
    name: 'no connection left',
    isLongOnly: true,
    async begin(world) {
      await world.run(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`)
      await world.disconnect()
    },
    end: world => world.run(`ALTER ROLE ${ROLE} CONNECTION LIMIT -1`),
  },
  {
    name: 'the table is locked',
    lasts: 10_000,
    begin: world => world.hold('LOCK TABLE halt.counters IN ACCESS EXCLUSIVE MODE'),
    end: world => world.release(),
  },
  {
    name: 'the table is dropped',
    isLongOnly: true,
    begin: world => world.run('DROP TABLE halt.counters'),
    // The known abuser stays refused, although the server has lost its counter.
    end: world => world.migrate(),
  },
]

// It holds for the connections that are open, too.
const readOnly = (value: string): string[] => [
  `ALTER SYSTEM SET default_transaction_read_only = ${value}`,
  'SELECT pg_reload_conf()',
]

/** Each call is counted at most once. postgres.js asks for the types of parameters first, and executes nothing without that answer. */
async function countedOnce(limiter: RateLimiter): Promise<{ note: string; missed: string | undefined }> {
  // Charges one more, and tells what is left.
  const { remaining } = await limiter.consume('counted', { policy: ROOMY })
  const counted = ROOMY.limit - remaining - 1
  return {
    note: `${counted} counted of ${ASKED}`,
    missed: counted <= ASKED ? undefined : `lost answers: ${counted} counted of ${ASKED}`,
  }
}
