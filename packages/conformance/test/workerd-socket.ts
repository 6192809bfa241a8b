import type { RawSocket } from '../src/index.ts'

/** A TCP socket of workerd. */
interface TcpSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  close(): Promise<void>
}

type Connect = (address: { hostname: string; port: number }) => TcpSocket

/** Opens a socket as the suite uses it, over one of workerd. */
export function socketOf(connect: Connect, port: number, hostname: string): RawSocket {
  const socket = connect({ hostname, port })
  const writer = socket.writable.getWriter()
  const data: ((chunk: { toString(encoding: 'latin1'): string }) => void)[] = []
  const closed: (() => void)[] = []
  const close = (): void => {
    socket.close().catch(() => {})
    for (const listener of closed.splice(0)) listener()
  }
  // workerd leaves it to the client to close a connection.
  let isLast = false
  const read = async (): Promise<void> => {
    const reader = socket.readable.getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        const text = new TextDecoder('latin1').decode(value)
        for (const listener of data) listener({ toString: () => text })
        if (isLast) return
      }
    } finally {
      close()
    }
  }
  read().catch(() => {})
  return {
    write(text) {
      if (/^connection: close\r$/im.test(text)) isLast = true
      writer.write(new TextEncoder().encode(text)).catch(() => {})
    },
    destroy: close,
    on(event: 'data' | 'close' | 'error', listener: (chunk: never) => void) {
      if (event === 'data') data.push(listener as (typeof data)[number])
      else if (event === 'close') closed.push(listener as () => void)
    },
  }
}
