import { CLIENT_HEADER, type Scene } from '../contestants/apps/app.ts'
import { randomClients, requestBytes } from '../request.ts'
import { CLIENTS } from '../scenes.ts'

/** Returns the bytes of the next request for an app: always the same, or those of a random client by header. */
export function requestsFor({ countedBy }: Scene): () => Buffer {
  if (countedBy === 'header') return randomClients(CLIENTS, CLIENT_HEADER)
  const bytes = requestBytes()
  return () => bytes
}
