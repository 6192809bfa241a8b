import { RateLimiter } from '@halt/core'
import { headerWriter, refusalBody, type RequestView, statusOf } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
} from 'aws-lambda'

type HttpEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2 | ALBEvent

// Outside the handler, so that an instance of the function makes it once.
const limiter = new RateLimiter({
  store: new InMemoryStore(), // stands for a RedisStore: see below
  policy: { name: 'function', limit: 3, window: '1h' },
})
const headersOf = headerWriter('standard', limiter)

/** The request in an event of API Gateway (REST and HTTP), of a function URL, or of a load balancer. */
function viewOf(event: HttpEvent): RequestView {
  const headers = event.headers ?? {}
  const common = { ip: undefined, headers, request: event }
  if ('version' in event && event.version === '2.0') {
    const { http } = (event as APIGatewayProxyEventV2).requestContext
    return { ...common, method: http.method, path: http.path, clientIp: http.sourceIp }
  }
  const { httpMethod: method, path, requestContext } = event as APIGatewayProxyEvent | ALBEvent
  if ('identity' in requestContext)
    return { ...common, method, path, clientIp: requestContext.identity.sourceIp }
  // A load balancer appends the address of its peer, so only the last one is certain.
  return { ...common, method, path, clientIp: headers['x-forwarded-for']?.split(',').at(-1)?.trim() }
}

type Handler = (event: HttpEvent) => Promise<APIGatewayProxyResult>

function limited(handler: Handler): Handler {
  return async event => {
    const decision = await limiter.check(viewOf(event))
    const headers = headersOf(decision)
    if (decision.allowed) {
      const answer = await handler(event)
      return { ...answer, headers: { ...headers, ...answer.headers } }
    }
    const statusCode = statusOf(decision, 429) // 503 if the store failed, 402 for a budget
    const { type, text } = refusalBody(decision, 'json', statusCode)
    return {
      statusCode,
      headers: { ...headers, 'Content-Type': type, 'Cache-Control': 'no-store' },
      body: text,
    }
  }
}

export const handler: Handler = limited(async () => ({ statusCode: 200, body: 'hello' }))
