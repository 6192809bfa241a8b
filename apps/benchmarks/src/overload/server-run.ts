import type { AddressInfo } from 'node:net'

import { type GuardName, guards } from './guards.ts'
import { type KindName, kinds } from './kinds.ts'

// A guarded server as a process. It tells its port and, whenever asked, its processor time.
const [guard, kind] = process.argv.slice(2) as [GuardName, KindName]
const server = await guards[guard](kinds[kind])
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
