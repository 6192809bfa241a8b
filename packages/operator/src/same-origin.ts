import { isIP } from 'node:net'
import { HaltError } from '@halt/core'

/** The header that the page sends. A page of another site cannot send it without the server's permission. */
const OWN_HEADER = 'x-halt-operator'

/**
 * Refuses calls that another site makes through the browser of an operator.
 *
 * @param hosts the hosts of the page; undefined if they are not given
 * @throws HaltError `HALT_E_OPERATOR_ORIGIN`
 */
export function refuseOthers({ headers, url }: Request, hosts: readonly string[] | undefined): void {
  if (headers.get(OWN_HEADER) === null)
    refuse(`The call has no header ${OWN_HEADER}.`, `Send ${OWN_HEADER}: 1, as the page does.`)
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin')
    refuse(`The call comes from a page of another origin (${site}).`, 'Open the page itself.')
  const origin = headers.get('origin')
  // A browser that says "same-origin" has compared the origins itself. Others, or plain HTTP, are compared here.
  if (site !== null || origin === null) return
  if (urlOf(origin)?.host !== hostOf(headers, url))
    refuse(
      'The call comes from a page of another origin.',
      'Open the page itself. Behind a proxy, let it pass the Host header on, or use HTTPS.',
    )
  if (hosts === undefined && mayBeRebound(urlOf(origin) as URL))
    refuse(
      `The call comes by plain HTTP from ${JSON.stringify(origin)}, a name that anybody may have given this address.`,
      'Use HTTPS, or list the names of the page: operator({ hosts: ["ops.internal"] }).',
    )
}

/**
 * Refuses requests to a host that is not one of the page's: a name of another site that leads to this address (DNS rebinding).
 *
 * @throws HaltError `HALT_E_OPERATOR_ORIGIN`
 */
export function refuseOtherHosts({ headers, url }: Request, hosts: readonly string[] | undefined): void {
  const host = hostOf(headers, url).toLowerCase()
  if (hosts === undefined || hosts.some(one => one === host || one === host.replace(/:\d+$/, ''))) return
  refuse(
    `The request is for the host ${JSON.stringify(host)}, which is not one of the page.`,
    'Open the page by one of its hosts, or add this one: operator({ hosts: ["ops.internal"] }).',
  )
}

/** A host of the page as browsers send it: in small letters, without the port of HTTP. */
export function hostAsSent(host: string): string {
  return host.toLowerCase().replace(/:80$/, '')
}

/** Whether a text can be one of `hosts`: a name or an address, with or without a port. */
export function isHost(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && urlOf(`http://${text}/`)?.host === hostAsSent(text)
}

/** Whether an origin may be a name that another site has made lead to this address. No name of HTTPS may, for want of a certificate. */
function mayBeRebound({ protocol, hostname }: URL): boolean {
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  return protocol !== 'https:' && !isLocal && isIP(hostname.replace(/^\[|\]$/g, '')) === 0
}

function hostOf(headers: Request['headers'], url: string): string {
  return headers.get('host') ?? new URL(url).host
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function refuse(message: string, fix: string): never {
  throw new HaltError('HALT_E_OPERATOR_ORIGIN', message, fix)
}
