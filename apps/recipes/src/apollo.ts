import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { RateLimiter, type Reservation } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { objectsIn, reserve } from './graphql-cost.ts'

const limiter = new RateLimiter<IncomingMessage>({
  store: new InMemoryStore(),
  policy: { name: 'objects', limit: 1000, window: '1d', keyStrategy: 'user' },
  userId: req => req.headers['x-user']?.toString(), // stands for your authentication
  exemptPrivateIps: false,
})

interface Context {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

const byCost: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    let reservation: Reservation | undefined
    return {
      async didResolveOperation({ schema, document: query, request, contextValue }) {
        const { operationName, variables } = request
        const operation = {
          schema,
          query,
          ...(operationName && { operationName }),
          ...(variables && { variables }),
        }
        reservation = await reserve(limiter, contextValue, operation)
      },
      async willSendResponse({ response: { body } }) {
        if (body.kind === 'single') await reservation?.settle(objectsIn(body.singleResult.data))
      },
    }
  },
}

interface User {
  readonly id: string
}
const users = Array.from({ length: 7 }, (_, i): User => ({ id: `${i}` }))
const some = (_parent: unknown, { first }: { first: number }): User[] => users.slice(0, first)
const server = new ApolloServer<Context>({
  typeDefs: `
    type User { id: ID! friends(first: Int!): [User!]! }
    type Query { users(first: Int!): [User!]! }
  `,
  resolvers: { Query: { users: some }, User: { friends: some } },
  plugins: [byCost],
})
await startStandaloneServer(server, { context: async given => given, listen: { port: 3000 } })
