import { connect, type Socket } from 'node:net'

import { nextOf, type Order, requestsOf } from './request.ts'

/** The parameters of a load. */
export interface Load {
  readonly port: number
  readonly requests: number
  readonly connections: number
  /** The number of clients that requests name by a header; undefined if they name none. */
  readonly clients: number | undefined
  readonly order: Order
}

/** The results of a load: answers by status. */
export type Answers = Record<string, number>

const LONGEST_MS = 60_000

/** Sends requests over keep-alive connections, each from a loopback address of its own, one request at a time on each. */
export async function load({ port, requests, connections, clients, order }: Load): Promise<Answers> {
  const answers: Answers = {}
  const next = nextOf(requestsOf(clients), order)
  let left = requests
  const one = (i: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${i + 1}` })
      const timer = setTimeout(() => socket.destroy(new Error(`no end within ${LONGEST_MS} ms`)), LONGEST_MS)
      const send = (): void => {
        if (left-- > 0) socket.write(next())
        else socket.end()
      }
      onAnswer(socket, status => {
        answers[status] = (answers[status] ?? 0) + 1
        send()
      })
      socket.setNoDelay(true).once('connect', send).once('error', reject)
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  // Never sleeps, because waking a sleeping reader costs the writer several microseconds. A fast app would pay for that,
  // and a slow app would not.
  let isLoading = true
  const stayAwake = (): void => void (isLoading && setImmediate(stayAwake))
  stayAwake()
  await Promise.all(Array.from({ length: connections }, (_, i) => one(i)))
  isLoading = false
  return answers
}

// All bodies have a length, because no app streams.
function onAnswer(socket: Socket, tell: (status: string) => void): void {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    const head = text.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)
    if (length === null)
      return void socket.destroy(new Error(`an answer without length: ${text.slice(0, head)}`))
    if (text.length < head + 4 + Number(length[1])) return
    const status = text.slice(9, 12)
    text = ''
    tell(status)
  })
}
