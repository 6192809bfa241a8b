import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'

/** One policy, counted in memory, for Express: the least that is bundled. */
export const middleware: ReturnType<typeof halt> = halt({
  store: new InMemoryStore(),
  policy: { name: 'api', limit: 100, window: 60 },
})
