const HEADERS: Readonly<Record<string, string>> = {
  host: 'api.example.com',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'application/json',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-GB,en;q=0.5',
  cookie: 'session=3fa85f64-5717-4562-b3fc-2c963f66afa6',
  connection: 'keep-alive',
}

/** The headers of a browser, and others. */
export function headersWith(others: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { ...HEADERS, ...others }
}

/** A request as Node gives it to a handler, with the headers of a browser. */
export class NodeRequest {
  readonly method = 'GET'
  readonly url = '/api/items?page=2'
  readonly httpVersion = '1.1'
  readonly rawHeaders: readonly string[] = RAW
  readonly headers: Readonly<Record<string, string>>
  readonly socket: { readonly remoteAddress: string }
  /** The user that an authentication middleware has found. */
  readonly user: { readonly id: string } | undefined

  constructor(remoteAddress: string, headers = HEADERS, user?: { readonly id: string }) {
    this.headers = headers
    this.socket = { remoteAddress }
    this.user = user
  }
}

/** A request as Fastify gives it to a handler, with its route. */
export class RoutedRequest extends NodeRequest {
  readonly routeOptions: { readonly url: string }

  constructor(remoteAddress: string, url: string) {
    super(remoteAddress)
    this.routeOptions = { url }
  }
}

const RAW = Object.entries(HEADERS).flat()
