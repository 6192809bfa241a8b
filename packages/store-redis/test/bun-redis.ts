// Runs in Bun: its own Redis client carries the scripts of a store. Prints the readings of the contract.
// @ts-expect-error -- only Bun has this module, and the tests are compiled for Node
import { RedisClient } from 'bun'

import { RedisStore, type Run } from '../src/index.ts'
import { contract } from './contract.ts'

const client = new RedisClient(process.env['REDIS_URL']) as {
  send(command: string, args: readonly string[]): Promise<unknown>
  close(): void
}

const run: Run = async ({ sha, source }, keys, args) => {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await client.send('EVALSHA', [sha, ...rest])
  } catch (error) {
    if (!String(error).includes('NOSCRIPT')) throw error
    return client.send('EVAL', [source, ...rest])
  }
}

console.log(JSON.stringify(await contract(new RedisStore({ run, prefix: `bun${crypto.randomUUID()}:` }))))
client.close()
