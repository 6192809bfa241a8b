import { Redis } from 'ioredis'
import { createClient } from 'redis'

import type { ClientName } from './contestant.ts'

/** A connected client, with two operations that both libraries have. */
export interface Connected {
  readonly client: object
  /** Sends a command. */
  send(args: readonly string[]): Promise<unknown>
  close(): void
}

/** Connects as the library's own guide does. */
export async function connect(url: string, name: ClientName): Promise<Connected> {
  if (name === 'ioredis') {
    const client = new Redis(url)
    await client.ping()
    return {
      client,
      send: ([command = '', ...args]) => client.call(command, ...args),
      close: () => client.disconnect(),
    }
  }
  const client = createClient({ url })
  await client.connect()
  return { client, send: args => client.sendCommand([...args]), close: () => client.destroy() }
}
