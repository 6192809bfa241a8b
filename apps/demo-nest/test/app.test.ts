import { demoSuite } from '@halt/demo-kit/testing'
import { expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { call, say } from '../src/other-clients.ts'
import { scenes } from '../src/show.ts'
import { start } from '../src/start.ts'

demoSuite(start, {
  ...(isFull ? { inRealTime: true } : { stores: ['memory'] as const }),
  more: scenes,
  own(bench) {
    it('the demo charges every field of a GraphQL request', async () => {
      const query = `{ ${Array.from({ length: 8 }, (_, i) => `q${i}: quote`).join(' ')} }`
      const answer = await bench.post('/graphql', { query }, 'ann')
      const { data, errors } = (await answer.json()) as {
        data: Record<string, number | null>
        errors: object[]
      }
      expect(Object.values(data).filter(value => value !== null)).toHaveLength(5)
      expect(errors).toHaveLength(3)
      expect(errors[0]).toMatchObject({ extensions: { code: 'TOO_MANY_REQUESTS', retry_after: 1 } })
      expect(await bench.statuses(1, () => bench.get('/quotes', 'ann'))).toEqual([429])
    })

    it('the demo charges every message on a WebSocket', async () => {
      const answers = await say(`${bench.app.url.replace('http', 'ws')}/chat`, 5)
      expect(answers.filter(answer => answer.includes('"said"'))).toHaveLength(3)
      expect(answers.filter(answer => answer.includes('Too Many Requests'))).toHaveLength(2)
    })

    it('the demo charges every message of another service', async () => {
      const answers = await call(bench.app.servicePort, 'render', 3)
      expect(answers.slice(0, 2)).toEqual(['rendered page 1', 'rendered page 2'])
      expect(answers[2]).toContain('Too Many Requests')
    })
  },
})
