import { keyPrefixOf, recognise } from './client.ts'

/** The options of a client of one server: of ioredis, or, with `socket` and `database`, of node-redis. */
interface ServerOptions {
  readonly host?: string | undefined
  readonly port?: number | string | undefined
  readonly path?: string | null | undefined
  readonly db?: number | undefined
  readonly database?: number | undefined
  readonly socket?: Pick<ServerOptions, 'host' | 'port' | 'path'>
}

/** Where a store has its keys: the kind, the start of every key, and the server if the client tells it. */
export function placeOf(prefix: string, client: object | undefined): readonly unknown[] {
  if (client === undefined) return ['redis', prefix]
  return ['redis', `${keyPrefixOf(client)}${prefix}`, serverOf(client)]
}

/** The server and the database of a client. Undefined where several servers may have the keys, because a client may list them in any order. */
function serverOf(client: object): string | undefined {
  const { kind, topology } = recognise(client)
  const { options } = client as { readonly options?: ServerOptions }
  if (topology !== 'single' || kind === 'redis-pool' || options === undefined) return undefined
  const { host = 'localhost', port = 6379, path } = options.socket ?? options
  const isLocal = host === '127.0.0.1' || host === '::1'
  const server = path || `${isLocal ? 'localhost' : host}:${port}`
  return `${server}/${options.db ?? options.database ?? 0}`
}
