import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { describe, expect, it } from 'vitest'

import { handler } from '../src/aws-lambda.ts'
import { codeOf } from './page.ts'

// The shapes are those of AWS's documentation.

/** An event of an HTTP API, or of a function URL. */
const http = (sourceIp: string, forwarded = sourceIp): APIGatewayProxyEventV2 => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: '/orders',
  rawQueryString: 'page=2',
  headers: {
    accept: '*/*',
    'content-length': '0',
    host: 'abc123.execute-api.eu-central-1.amazonaws.com',
    'user-agent': 'curl/8.5.0',
    'x-amzn-trace-id': 'Root=1-6553f1a2-0123456789abcdef01234567',
    'x-forwarded-for': forwarded,
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
  },
  requestContext: {
    accountId: '123456789012',
    apiId: 'abc123',
    domainName: 'abc123.execute-api.eu-central-1.amazonaws.com',
    domainPrefix: 'abc123',
    http: { method: 'GET', path: '/orders', protocol: 'HTTP/1.1', sourceIp, userAgent: 'curl/8.5.0' },
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey: '$default',
    stage: '$default',
    time: '26/Nov/2026:08:00:00 +0000',
    timeEpoch: 1_795_680_000_000,
  },
  isBase64Encoded: false,
})

/** An event of a REST API. */
const rest = (sourceIp: string): APIGatewayProxyEvent => ({
  resource: '/{proxy+}',
  path: '/orders',
  httpMethod: 'GET',
  headers: {
    Accept: '*/*',
    Host: 'xyz.execute-api.eu-central-1.amazonaws.com',
    'X-Forwarded-For': `${sourceIp}, 64.252.1.1`,
  },
  multiValueHeaders: { Accept: ['*/*'] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: { proxy: 'orders' },
  stageVariables: null,
  requestContext: {
    accountId: '123456789012',
    apiId: 'xyz',
    authorizer: null,
    httpMethod: 'GET',
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp,
      user: null,
      userAgent: 'curl/8.5.0',
      userArn: null,
    },
    path: '/prod/orders',
    protocol: 'HTTP/1.1',
    requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
    requestTimeEpoch: 1_795_680_000_000,
    resourceId: '123456',
    resourcePath: '/{proxy+}',
    stage: 'prod',
  },
  body: null,
  isBase64Encoded: false,
})

/** An event of a load balancer, which appends the address of its peer. */
const balanced = (forwarded: string): ALBEvent => ({
  requestContext: {
    elb: {
      targetGroupArn:
        'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/fn/6d0ecf831eec9f09',
    },
  },
  httpMethod: 'GET',
  path: '/orders',
  queryStringParameters: {},
  headers: {
    accept: '*/*',
    host: 'lb.eu-central-1.elb.amazonaws.com',
    'x-forwarded-for': forwarded,
    'x-forwarded-proto': 'https',
  },
  body: '',
  isBase64Encoded: false,
})

type Event = Parameters<typeof handler>[0]
const statuses = async (...events: Event[]): Promise<number[]> => {
  const found: number[] = []
  for (const event of events) found.push((await handler(event)).statusCode)
  return found
}

describe('docs/recipes/aws-lambda.md', () => {
  it('the page shows the code that is tested here', async () => {
    await codeOf('aws-lambda', ['aws-lambda'])
  })

  it('an event of an HTTP API is counted by its source address, whatever the client claims', async () => {
    const events = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'].map(claimed => http('203.0.113.1', claimed))
    expect(await statuses(...events)).toEqual([200, 200, 200, 429])
    expect(await statuses(http('203.0.113.2'))).toEqual([200])
  })

  it('a REST API and an HTTP API in front of one function share the counter of a client', async () => {
    const [one, two] = [rest('203.0.113.3'), http('203.0.113.3')]
    expect(await statuses(one, two, one, two, one)).toEqual([200, 200, 200, 429, 429])
  })

  it('behind a load balancer the last forwarded address is counted', async () => {
    const events = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'].map(claimed =>
      balanced(`${claimed}, 203.0.113.4`),
    )
    expect(await statuses(...events)).toEqual([200, 200, 200, 429])
  })

  it('a refusal has strings as headers and a JSON body, as API Gateway takes them', async () => {
    const passed = await handler(http('203.0.113.5'))
    expect(passed).toMatchObject({
      body: 'hello',
      headers: { 'RateLimit-Limit': '3', 'RateLimit-Remaining': '2' },
    })
    await statuses(http('203.0.113.5'), http('203.0.113.5'))
    const { headers = {}, body, statusCode } = await handler(http('203.0.113.5'))
    expect([statusCode, headers['Content-Type']]).toEqual([429, 'application/json; charset=utf-8'])
    for (const value of Object.values(headers)) expect(typeof value).toBe('string')
    expect(JSON.parse(body)).toMatchObject({ retry_after: Number(headers['Retry-After']) })
  })

  it('a client at a private address is counted, because no event tells of a peer', async () => {
    const event = http('10.0.0.1')
    expect(await statuses(event, event, event, event)).toEqual([200, 200, 200, 429])
  })
})
