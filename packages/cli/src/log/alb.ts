import { isOfCalendar } from './instant.ts'
import { endOfQuoted, methodAndUrl } from './combined.ts'
import { LoggedRequest } from './logged-request.ts'

const START = /^(?:https?|h2|grpcs|wss?) (\S+) \S+ (\S+):\d+ /

/** Reads a line of an access log of an AWS Application Load Balancer. Returns undefined if it is cut or is not one. */
export function readAlb(line: string): LoggedRequest | undefined {
  const [, time = '', ip] = START.exec(line) ?? []
  const at = isOfCalendar(time) ? Date.parse(time) : Number.NaN
  const request = line.indexOf(' "')
  const requestEnd = request < 0 ? -1 : endOfQuoted(line, request + 2)
  const agent = requestEnd < 0 ? -1 : line.indexOf(' "', requestEnd + 1)
  const agentEnd = agent < 0 ? -1 : endOfQuoted(line, agent + 2)
  if (Number.isNaN(at) || agentEnd < 0) return undefined
  const [method, address] = methodAndUrl(line.slice(request + 2, requestEnd))
  // The target has a scheme and a host: https://example.com:443/path?query
  const url = address?.replace(/^[a-z]+:\/\/[^/]*/, '') || '/'
  const headers = { 'user-agent': line.slice(agent + 2, agentEnd) }
  return new LoggedRequest({ at, ip, method, url, user: undefined, headers, json: undefined })
}
