import type { HeaderBag, RequestView } from '@halt/core'

/** The fields of one line of an access log. Absent fields are undefined. */
export interface LogFields {
  /** When the request was logged. Unix milliseconds. */
  readonly at: number
  readonly ip: string | undefined
  readonly method: string | undefined
  /** The request target, with the query. */
  readonly url: string | undefined
  readonly user: string | undefined
  readonly headers: HeaderBag
  /** The whole line, if it is JSON. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

/** One request of a log, as a limiter reads it. The callbacks of policies get this object too. */
export class LoggedRequest implements RequestView {
  /** When the request was logged. Unix milliseconds. */
  readonly at: number
  readonly ip: string | undefined
  readonly method: string
  readonly url: string
  readonly headers: HeaderBag
  readonly user: { readonly id: string } | undefined
  /** The line's own fields, if the log is JSON. */
  readonly json: Readonly<Record<string, unknown>> | undefined

  constructor({ at, ip, method, url, user, headers, json }: LogFields) {
    this.at = at
    this.ip = ip
    this.method = method ?? 'GET'
    this.url = url ?? '/'
    this.headers = headers
    this.user = user === undefined ? undefined : { id: user }
    this.json = json
  }

  get target(): string {
    return this.url
  }

  get path(): string {
    const end = this.url.search(/[?#]/)
    return end < 0 ? this.url : this.url.slice(0, end)
  }

  get request(): this {
    return this
  }
}
