import type { AddressInfo } from 'node:net'

import { type GuardName, guards, refusing } from './guards.ts'
import { type KindName, kinds } from './kinds.ts'

// A guarded server as a process. It tells its port and, whenever asked, its processor time.
const [guard, kind] = process.argv.slice(2) as [GuardName | 'refusing', KindName]
const server = await (guard === 'refusing' ? refusing : guards[guard])(kinds[kind])
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('disconnect', () => process.exit(0))
