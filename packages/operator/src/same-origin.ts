import { HaltError } from '@halt/core'

/** The header that the page sends. A page of another site cannot send it without the server's permission. */
const OWN_HEADER = 'x-halt-operator'

/**
 * Refuses calls that another site makes through the browser of an operator.
 *
 * @throws HaltError `HALT_E_OPERATOR_ORIGIN`
 */
export function refuseOthers({ headers, url }: Request): void {
  if (headers.get(OWN_HEADER) === null)
    refuse(`The call has no header ${OWN_HEADER}.`, `Send ${OWN_HEADER}: 1, as the page does.`)
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin')
    refuse(`The call comes from a page of another origin (${site}).`, 'Open the page itself.')
  const origin = headers.get('origin')
  // A browser that says "same-origin" has compared the origins itself. Others, or plain HTTP, are compared here.
  if (site === null && origin !== null && hostOf(origin) !== (headers.get('host') ?? new URL(url).host))
    refuse(
      'The call comes from a page of another origin.',
      'Open the page itself. Behind a proxy, let it pass the Host header on, or use HTTPS.',
    )
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function refuse(message: string, fix: string): never {
  throw new HaltError('HALT_E_OPERATOR_ORIGIN', message, fix)
}
