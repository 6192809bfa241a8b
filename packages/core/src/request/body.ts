import { type HeaderBag, readHeader } from './headers.ts'

/** Whether the headers of a request announce a body. */
export function announcesBody(headers: HeaderBag): boolean {
  if (readHeader(headers, 'transfer-encoding') !== undefined) return true
  const length = readHeader(headers, 'content-length')
  return length !== undefined && String(length) !== '0'
}

/** A Node request. An HTTP/2 request has a stream. */
interface Streamed {
  readonly stream?: { readonly endAfterHeaders?: boolean | undefined } | undefined
}

/** Whether a Node HTTP/2 request continues after its headers. A body may then follow that no header announces. */
export function continues(request: object | undefined): boolean {
  return (request as Streamed | undefined)?.stream?.endAfterHeaders === false
}
