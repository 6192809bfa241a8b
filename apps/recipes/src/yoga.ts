import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { GraphQLError } from 'graphql'
import { createSchema, createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

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

const byCost: Plugin<Context> = {
  async onExecute(execution) {
    const { schema, document: query, operationName, variableValues: variables, contextValue } = execution.args
    try {
      const operation = { schema, query, operationName, variables }
      const reservation = await reserve(limiter, contextValue, operation)
      return {
        async onExecuteDone({ result }) {
          if (!isAsyncIterable(result)) await reservation.settle(objectsIn(result.data))
        },
      }
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error
      return execution.setResultAndStopExecution({ errors: [error] })
    }
  },
}

interface User {
  readonly id: string
}
const users = Array.from({ length: 7 }, (_, i): User => ({ id: `${i}` }))
const some = (_parent: unknown, { first }: { first: number }): User[] => users.slice(0, first)
const schema = createSchema<Context>({
  typeDefs: `
    type User { id: ID! friends(first: Int!): [User!]! }
    type Query { users(first: Int!): [User!]! }
  `,
  resolvers: { Query: { users: some }, User: { friends: some } },
})
const yoga = createYoga<Context>({ schema, plugins: [byCost], logging: false })
createServer((req, res) => void yoga(req, res)).listen(3000)
