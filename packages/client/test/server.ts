import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request that a server got. */
interface Got {
  readonly method: string
  readonly url: string
  readonly body: string
}

/** A server of a test. */
export interface TestServer {
  readonly url: string
  /** Its host and port: the default key of calls to it. */
  readonly host: string
  /** The requests so far, each with its whole body. */
  readonly got: readonly Got[]
}

/** Serves until the test ends. The answer is made when the body is there. */
export async function serve(
  answer: (res: ServerResponse, nth: number, req: IncomingMessage) => void,
): Promise<TestServer> {
  const got: Got[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.setEncoding('utf8').on('data', (text: string) => void (body += text))
    req.on('end', () => {
      got.push({ method: req.method ?? '', url: req.url ?? '', body })
      answer(res, got.length, req)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}`, host, got }
}

/** Serves a list of answers, and 200 afterwards. An answer is a status, or a status with headers. */
export function serveAnswers(
  ...answers: readonly (number | readonly [number, Record<string, string>])[]
): Promise<TestServer> {
  return serve((res, nth) => {
    const [status, headers = {}] = [answers[nth - 1] ?? 200].flat() as [number, Record<string, string>?]
    res.writeHead(status, headers).end(`answer ${nth}`)
  })
}
