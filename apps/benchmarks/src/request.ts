/** The bytes of the request that all loads send, with the headers of a browser, and with more of them if given. */
export function requestBytes(more: Readonly<Record<string, string>> = {}): Buffer {
  const headers = {
    Host: 'api.example.com',
    'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    Accept: 'application/json',
    'Accept-Encoding': 'gzip, deflate, br',
    Cookie: 'session=3fa85f64-5717-4562-b3fc-2c963f66afa6',
    ...more,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET / HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/**
 * Returns the bytes of the next request of a random one of `count` clients, named by a header. The first `count` requests
 * name each client once. The order is the same in every run.
 */
export function randomClients(count: number, header: string): () => Buffer {
  const all = Array.from({ length: count }, (_, i) =>
    requestBytes({ [header]: `client-${String(i).padStart(13, '0')}` }),
  )
  let sent = 0
  let state = 0x2545f491
  return () => {
    if (sent < count) return all[sent++] as Buffer
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return all[Math.floor((state / 2 ** 32) * count)] as Buffer
  }
}
