import type { Scene } from '@halt/demo-kit'

import { call, say } from './other-clients.ts'
import type { NestListening } from './start.ts'

/** The scenes of Nest alone: one guard for every transport. */
export const scenes: readonly Scene<NestListening>[] = [
  async function graphql({ client, as }) {
    client.title('A GraphQL request with eight fields is charged for each field')
    const query = `{ ${['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(name => `${name}: quote`).join(' ')} }`
    const answer = await client.expect(200, 'POST', '/graphql', as('gus'), { query })
    const { errors = [] } = (await answer.json()) as { errors?: { extensions: { code: string } }[] }
    client.print(`fields refused: ${errors.length}, each with the code ${errors[0]?.extensions.code}`)
    client.check('fields are refused beyond the fifth', errors.length > 0)
  },

  async function sockets({ client, app }) {
    client.heading('A client may send 3 WebSocket messages in 10 seconds, over all its sockets')
    const said = await say(`${app.url.replace('http', 'ws')}/chat`, 5)
    for (const line of said) client.print(line)
    client.check('two are refused', said.filter(line => line.includes('Too Many Requests')).length === 2)
  },

  async function services({ client, app }) {
    client.heading('Another service may send 2 messages in 10 seconds')
    const rendered = await call(app.servicePort, 'render', 3)
    for (const line of rendered) client.print(line)
    client.check('the third is refused', rendered.at(-1)?.includes('Too Many Requests') === true)
  },
]
