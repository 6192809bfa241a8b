import { createServer, type RequestListener, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { type LoadShedder, loadShedder, type Tier } from '@halt/overload'

/** The connections of the shop's database, and how long a query takes, in milliseconds. */
const DATABASE = { connections: 5, ms: 40 }

/** The routes of the shop, and how important they are. */
const ROUTES: Readonly<Record<string, Tier>> = {
  '/checkout': 'critical',
  '/products': 'normal',
  '/export': 'batch',
}

/** A shop, and the shedder that guards it. */
export interface Shop {
  readonly server: Server
  /** Undefined: nothing guards it. */
  readonly shedder: LoadShedder | undefined
}

/** Makes the shop. Each of its pages is one query of the database. */
export function makeShop(isGuarded: boolean): Shop {
  const query = database()
  const listener: RequestListener = (_request, response) => void query().then(() => response.end('done'))
  if (!isGuarded) return { server: createServer(listener), shedder: undefined }
  const shedder = loadShedder({
    name: 'shop',
    priority: ({ url }) => ROUTES[url ?? ''] ?? 'normal',
  })
  return { server: createServer(shedder.wrap(listener)), shedder }
}

/** Queries wait for a connection in the order in which they came. */
function database(): () => Promise<void> {
  const waiting: (() => void)[] = []
  let free = DATABASE.connections
  return async () => {
    if (free > 0) free--
    else await new Promise<void>(resolve => void waiting.push(resolve))
    await sleep(DATABASE.ms)
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
}
