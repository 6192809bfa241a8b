import { shuffled } from './keys.ts'

/** The header by which requests name their client. */
export const CLIENT_HEADER = 'x-client-id'

/** The order in which requests are sent again and again. The random order is the same in every run. Both visit all. */
export type Order = 'in turn' | 'at random'

/** The bytes of the requests of a load: one per client, who is named by a header; a single one if no client is named. */
export function requestsOf(clients: number | undefined): readonly Buffer[] {
  if (clients === undefined) return [requestBytes()]
  return Array.from({ length: clients }, (_, i) =>
    requestBytes(`${CLIENT_HEADER}: client-${String(i).padStart(13, '0')}`),
  )
}

/** Returns the next request. */
export function nextOf(requests: readonly Buffer[], order: Order): () => Buffer {
  const count = requests.length
  let i = 0
  const given = order === 'in turn' ? requests : shuffled(count).map(at => requests[at])
  return () => given[i++ % count] as Buffer
}

/** The bytes of a request with the headers of a browser, and with more lines if given. */
function requestBytes(...lines: readonly string[]): Buffer {
  const head = [
    'GET / HTTP/1.1',
    'Host: api.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: application/json',
    'Accept-Encoding: gzip, deflate, br',
    'Cookie: session=3fa85f64-5717-4562-b3fc-2c963f66afa6',
    ...lines,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`)
}
