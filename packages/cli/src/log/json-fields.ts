import { jsonInstant } from './instant.ts'
import { LoggedRequest } from './logged-request.ts'

/** The fields that a JSON line is read for. */
export type JsonField = 'time' | 'ip' | 'method' | 'url' | 'user' | 'agent' | 'forwarded'

/** Where each field stands in a JSON line: paths with dots; the first that has a value counts. */
export type JsonPaths = Readonly<Record<JsonField, readonly string[]>>

/** The fields of loggers for Node (pino, morgan, winston) and of nginx, HAProxy and Traefik as they are commonly set up. */
export const GENERIC: JsonPaths = {
  time: ['time', 'timestamp', '@timestamp', 'ts', 'date', 'time_iso8601', 'msec', 'time_local', 'StartUTC'],
  ip: [
    'ip',
    'remote_addr',
    'remoteAddress',
    'remote_ip',
    'client_ip',
    'clientIp',
    'ClientHost',
    'req.remoteAddress',
    'req.ip',
  ],
  method: ['method', 'request_method', 'req.method', 'RequestMethod'],
  url: ['url', 'request_uri', 'uri', 'path', 'req.url', 'RequestPath'],
  user: ['user', 'user_id', 'userId', 'remote_user', 'req.user.id', 'user.id'],
  agent: ['user_agent', 'userAgent', 'http_user_agent', 'req.headers.user-agent'],
  forwarded: ['x_forwarded_for', 'http_x_forwarded_for', 'forwarded_for', 'req.headers.x-forwarded-for'],
}

/** The fields of Caddy's access log. `remote_ip` is the peer of the socket. */
export const CADDY: JsonPaths = {
  time: ['ts'],
  ip: ['request.remote_ip'],
  method: ['request.method'],
  url: ['request.uri'],
  user: ['user_id'],
  agent: ['request.headers.User-Agent.0'],
  forwarded: ['request.headers.X-Forwarded-For.0'],
}

/** The fields of Cloudflare's Logpush, data set "HTTP requests". */
export const CLOUDFLARE: JsonPaths = {
  time: ['EdgeStartTimestamp'],
  ip: ['ClientIP'],
  method: ['ClientRequestMethod'],
  url: ['ClientRequestURI', 'ClientRequestPath'],
  user: [],
  agent: ['ClientRequestUserAgent'],
  forwarded: [],
}

/** Makes a reader of JSON lines. It returns undefined for a line that is cut, or has no time or no address. */
export function jsonReader(paths: JsonPaths): (line: string) => LoggedRequest | undefined {
  const split = Object.fromEntries(
    Object.entries(paths).map(([name, all]) => [name, all.map(path => waysOf(path))]),
  ) as unknown as Record<JsonField, readonly (readonly string[])[]>
  return line => {
    const json = parse(line)
    if (json === undefined) return undefined
    const at = jsonInstant(find(json, split.time))
    const ip = text(find(json, split.ip))
    if (Number.isNaN(at) || ip === undefined) return undefined
    const [agent, forwarded] = [text(find(json, split.agent)), text(find(json, split.forwarded))]
    const headers: Record<string, string> = {}
    if (agent !== undefined) headers['user-agent'] = agent
    if (forwarded !== undefined) headers['x-forwarded-for'] = forwarded
    const [method, url] = [text(find(json, split.method)), text(find(json, split.url))]
    return new LoggedRequest({ at, ip, method, url, user: text(find(json, split.user)), headers, json })
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(line)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function waysOf(path: string): readonly string[] {
  return path.split('.')
}

function find(json: unknown, ways: readonly (readonly string[])[]): string | number | undefined {
  for (const way of ways) {
    let value: unknown = json
    for (const name of way) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) value = undefined
      else value = (value as Record<string, unknown>)[name]
      if (value === undefined) break
    }
    if (isValue(value)) return value
  }
  return undefined
}

// Loggers write `-` or nothing for a value that they do not have. An object here is another field of the same name.
function isValue(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '' && value !== '-') || typeof value === 'number'
}

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}
