import { slotOf } from '../keys.ts'
import type { Client } from './client.ts'
import { keyPrefixOf } from './client.ts'
import type {
  Ioredis,
  IoredisCluster,
  IoredisCommands,
  RedisClient,
  RedisCluster,
  RedisPool,
  RedisSentinel,
  ReplyOptions,
} from './client-interfaces.ts'

/** Sends scripts through one client. It rejects with the client's own errors. */
export interface ScriptSender {
  evalsha(sha: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
  eval(source: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/** Sends scripts and other commands through one client. */
export interface CommandSender extends ScriptSender {
  command(args: readonly string[], key: string | undefined): Promise<unknown>
}

/** Makes the sender of a client. */
export function senderOf(found: Client): CommandSender {
  switch (found.kind) {
    case 'ioredis':
      return ioredisSender(found.client)
    case 'ioredis-cluster':
      return ioredisClusterSender(found.client)
    case 'redis':
    case 'redis-pool':
      return redisSender(found.client, keyPrefixOf(found.client))
    case 'redis-sentinel':
      return redisSentinelSender(found.client)
    case 'redis-cluster':
      return redisClusterSender(found.client)
  }
}

// ioredis flattens arrays of arguments, and puts its key prefix before the keys of every command that it knows.
function ioredisScripts(client: IoredisCommands): ScriptSender {
  return {
    evalsha: (sha, keys, args) => client.evalsha(sha, keys.length, keys, args),
    eval: (source, keys, args) => client.eval(source, keys.length, keys, args),
  }
}

export function ioredisSender(client: Ioredis): CommandSender {
  return { ...ioredisScripts(client), command: args => callIoredis(client, args) }
}

export function ioredisClusterSender(cluster: IoredisCluster): CommandSender {
  const nodeFor = (key: string): Ioredis | undefined => {
    const address = cluster.slots[slotOf(keyPrefixOf(cluster) + key)]?.[0]
    return cluster
      .nodes('master')
      .find(({ options }) => `${String(options['host'])}:${String(options['port'])}` === address)
  }
  return {
    ...ioredisScripts(cluster),
    command: (args, key) => {
      // ioredis finds the node by a key among the arguments. Without one, the node is chosen here.
      const node = key === undefined || args[1] === key ? undefined : nodeFor(key)
      return callIoredis(node ?? cluster, args)
    },
  }
}

function callIoredis(client: IoredisCommands, [name = '', ...args]: readonly string[]): Promise<unknown> {
  return client.call(name.toLowerCase(), args)
}

// Replies are read without the user's type mapping.
const PLAIN: ReplyOptions = { typeMapping: {} }

export function redisSender(client: RedisClient | RedisPool, prefix: string): CommandSender {
  const send = (args: readonly string[]): Promise<unknown> => client.sendCommand(args, PLAIN)
  return redisCommands(prefix, send)
}

function redisSentinelSender(sentinel: RedisSentinel): CommandSender {
  return redisCommands(keyPrefixOf(sentinel), args => sentinel.sendCommand(false, args, PLAIN))
}

export function redisClusterSender(cluster: RedisCluster): CommandSender {
  const askNode = async (key: string | undefined, args: readonly string[]): Promise<unknown> => {
    const { slots, masters } = cluster
    const node = key === undefined ? undefined : slots[slotOf(key)]?.master
    const any = node ?? masters[Math.floor(Math.random() * masters.length)]
    if (any === undefined) throw new Error('The cluster has no nodes')
    return (any.client ?? (await cluster.nodeClient(any))).sendCommand(args, PLAIN)
  }
  // Commands without a key are sent to one node. node-redis 6 would send them to all nodes and merge the replies, or fail.
  const send: Send = (args, key, isKeyed) =>
    isKeyed ? cluster.sendCommand(key, false, args, PLAIN) : askNode(key, args)
  return redisCommands(keyPrefixOf(cluster), send)
}

type Send = (args: readonly string[], key: string | undefined, isKeyed: boolean) => Promise<unknown>

function redisCommands(prefix: string, send: Send): CommandSender {
  const runScript = (
    name: string,
    script: string,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> => {
    const prefixed = prefix === '' ? keys : keys.map(key => prefix + key)
    return send([name, script, String(keys.length), ...prefixed, ...args], prefixed[0], true)
  }
  return {
    evalsha: (sha, keys, args) => runScript('EVALSHA', sha, keys, args),
    eval: (source, keys, args) => runScript('EVAL', source, keys, args),
    command: (args, key) => {
      const isKeyed = key !== undefined && args[1] === key
      const prefixed = key === undefined ? undefined : prefix + key
      return send(isKeyed ? [args[0] ?? '', prefix + key, ...args.slice(2)] : args, prefixed, isKeyed)
    },
  }
}
