import { announcesBody } from '../request/body.ts'
import { readHeader } from '../request/headers.ts'
import type { RequestView } from '../request/view.ts'

/** Whether a request is a CORS preflight: it has the method and headers that a browser sends with one, and no body. */
export function isPreflight(view: RequestView): boolean {
  // The other fields are read only for this method, because some views make them when they are read.
  if (view.method !== 'OPTIONS') return false
  const { headers, hasBody } = view
  return (
    readHeader(headers, 'access-control-request-method') !== undefined &&
    readHeader(headers, 'origin') !== undefined &&
    hasBody !== true &&
    !announcesBody(headers)
  )
}
