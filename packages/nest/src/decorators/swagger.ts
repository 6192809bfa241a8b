import 'reflect-metadata'

import type { ErrorFormat } from '@halt/core/http'

/** Options of {@link ApiRateLimited}. */
export interface ApiRateLimitedOptions {
  /** Default "Too many requests." */
  readonly description?: string | undefined
  /** As in the module's options. Default `"json"`. */
  readonly errorFormat?: ErrorFormat | undefined
  /** As in the module's options. Default 429. */
  readonly statusCode?: number | undefined
}

// The metadata key of @nestjs/swagger, the same in all its versions. It is not imported, because the package may not be
// installed and a decorator cannot wait for an import.
const RESPONSES = 'swagger/apiResponse'

const integer = (description: string): object => ({ description, schema: { type: 'integer' } })

const HEADERS = {
  'Retry-After': integer('Seconds until the request passes.'),
  'RateLimit-Limit': integer('Units per window.'),
  'RateLimit-Remaining': integer('Units left.'),
  'RateLimit-Reset': integer('When nothing is counted any more, in Unix seconds.'),
}

const WAIT = {
  type: 'integer',
  nullable: true,
  example: 42,
  description: 'Seconds until the request passes; null when it never can.',
}

const PLAIN = {
  error: { type: 'string', example: 'rate_limit_exceeded' },
  message: { type: 'string', example: 'Too many requests. Please try again later.' },
  retry_after: WAIT,
}

const SCHEMAS: Readonly<Record<ErrorFormat, { readonly type: string; readonly schema: object }>> = {
  json: {
    type: 'application/json',
    schema: { type: 'object', required: ['error', 'message', 'retry_after'], properties: PLAIN },
  },
  detailed: {
    type: 'application/json',
    schema: {
      type: 'object',
      required: ['error', 'message', 'retry_after', 'reason'],
      properties: {
        ...PLAIN,
        reason: { type: 'string', example: 'quota-exceeded' },
        policy: { type: 'string', example: 'api_calls' },
        limit: { type: 'integer' },
        remaining: { type: 'integer' },
        reset_at: { type: 'integer', description: 'When nothing is counted any more, in Unix seconds.' },
      },
    },
  },
  problem: {
    type: 'application/problem+json',
    schema: {
      type: 'object',
      required: ['type', 'title', 'status'],
      properties: {
        type: { type: 'string', format: 'uri' },
        title: { type: 'string', example: 'Too Many Requests' },
        status: { type: 'integer', example: 429 },
        detail: { type: 'string' },
        retry_after: WAIT,
        'violated-policies': { type: 'array', items: { type: 'string' } },
      },
    },
  },
}

/** Documents the refusal of a handler, or of all handlers of a class. Has no effect without `@nestjs/swagger`. */
export function ApiRateLimited(options: ApiRateLimitedOptions = {}): ClassDecorator & MethodDecorator {
  const { description = 'Too many requests.', errorFormat = 'json', statusCode = 429 } = options
  const { type, schema } = SCHEMAS[errorFormat]
  const response = { description, headers: HEADERS, content: { [type]: { schema } } }
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder = descriptor === undefined ? target : (descriptor.value as object)
    const known = (Reflect.getMetadata(RESPONSES, holder) as object | undefined) ?? {}
    Reflect.defineMetadata(RESPONSES, { ...known, [statusCode]: response }, holder)
  }
}
