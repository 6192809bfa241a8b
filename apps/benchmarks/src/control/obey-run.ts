// A process under control: tells when a block has reached it, as Unix milliseconds.
import { Control } from '@halt/control'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import { stateOf } from './state.ts'

const [, , url = '', prefix = ''] = process.argv
const store = new RedisStore({ client: new Redis(url), prefix })
const control = new Control({ store })
await control.refresh()
process.send?.('ready')
const timer = setInterval(() => {
  if (stateOf(control)?.accessOfSubject('user:abuser', Date) === undefined) return
  clearInterval(timer)
  process.send?.(Date.now())
}, 2)
process.on('disconnect', () => process.exit(0))
