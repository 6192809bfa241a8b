// The shop as a process. It tells its port, and then what its shedder does.
import type { AddressInfo } from 'node:net'

import { makeShop } from './shop.ts'

const EVERY_MS = 200

const { server, shedder } = makeShop(process.argv[2] === 'guarded')
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
const telling = setInterval(() => {
  // The one that listens may leave meanwhile: then nobody needs to hear it.
  if (shedder !== undefined) process.send?.({ said: shedder.explain() }, undefined, {}, () => {})
}, EVERY_MS)
process.once('disconnect', () => {
  clearInterval(telling)
  server.close()
  server.closeAllConnections()
})
