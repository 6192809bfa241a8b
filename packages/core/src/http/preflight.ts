import { announcesBody } from '../request/body.ts'
import { readHeader } from '../request/headers.ts'
import type { RequestView } from '../request/view.ts'

/** Whether a request is a CORS preflight: it has the method and headers that a browser sends with one, and no body. */
export function isPreflight({ method, headers, hasBody }: RequestView): boolean {
  return (
    method === 'OPTIONS' &&
    readHeader(headers, 'access-control-request-method') !== undefined &&
    readHeader(headers, 'origin') !== undefined &&
    hasBody !== true &&
    !announcesBody(headers)
  )
}
