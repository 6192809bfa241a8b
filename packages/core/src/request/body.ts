import { type HeaderBag, readHeader } from './headers.ts'

/** Whether the headers of a request announce a body. */
export function announcesBody(headers: HeaderBag): boolean {
  if (readHeader(headers, 'transfer-encoding') !== undefined) return true
  const length = readHeader(headers, 'content-length')
  return length !== undefined && String(length) !== '0'
}

/** A request of Node's; of HTTP/2 it has a stream. */
interface Streamed {
  readonly stream?: { readonly endAfterHeaders?: boolean | undefined } | undefined
}

/** Whether an HTTP/2 request of Node's goes on after its headers: then a body may follow that they do not announce. */
export function continues(request: object | undefined): boolean {
  return (request as Streamed | undefined)?.stream?.endAfterHeaders === false
}
