import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

import { RateLimiter } from '@halt/core'
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import type { Request, Response } from 'express'

const RAW_HEADERS = ['Host', 'api.example.com', 'User-Agent', 'curl/8.14', 'Accept', '*/*']

/**
 * Makes a step that sends a request of Node through a number of Express middlewares, each with a limiter of its own. Nothing
 * writes to the socket.
 */
export function guardedRoute(count: number, address: string): () => boolean {
  const middlewares = Array.from({ length: count }, (_, i) => {
    const policy = { name: `guard-${i}`, limit: 100_000_000, window: '1h' } as const
    return halt({ limiter: new RateLimiter({ store: new InMemoryStore(), policy }) })
  })
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: address })
  return () => {
    const request = new IncomingMessage(socket)
    request.method = 'GET'
    request.url = '/api/items?page=2'
    request.rawHeaders.push(...RAW_HEADERS)
    const response = new ServerResponse(request)
    let passed = 0
    const next = (error?: unknown): void => {
      if (error !== undefined) throw error
      if (passed < count) middlewares[passed++]?.(request as Request, response as Response, next)
      else passed = Number.POSITIVE_INFINITY
    }
    next()
    return passed === Number.POSITIVE_INFINITY
  }
}
