import { badRequest } from './answer.ts'

/** The longest body of a call, in bytes. */
const LONGEST_BODY = 65_536

/**
 * Reads the body of a call.
 *
 * @throws HaltError `HALT_E_OPERATOR` if it is not a JSON object, or too long
 */
export async function readBody(request: Request): Promise<Readonly<Record<string, unknown>>> {
  if (request.method !== 'POST') throw badRequest(`The call is a ${request.method}.`, 'Send a POST.')
  const body = parse(await readText(request))
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Readonly<Record<string, unknown>>
  throw badRequest('The body of the call is not a JSON object.', 'Send an object, at least {}.')
}

async function readText(request: Request): Promise<string> {
  // A longer body is not read to its end, so that the client gets the answer.
  if (Number(request.headers.get('content-length')) > LONGEST_BODY) throw tooLong()
  const bytes: Uint8Array[] = []
  let size = 0
  for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    if ((size += part.length) > LONGEST_BODY) throw tooLong()
    bytes.push(part)
  }
  return Buffer.concat(bytes).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function tooLong(): Error {
  return badRequest(`The body of the call has more than ${LONGEST_BODY} bytes.`, 'Send a shorter one.')
}
