import 'reflect-metadata'
import { ThrottlerStorageService } from '@nestjs/throttler'

import type { MemoryContestant } from './contestant.ts'

type Record = Awaited<ReturnType<ThrottlerStorageService['increment']>>

/** The memory storage of @nestjs/throttler, called as its guard calls it. By default it blocks for as long as the window. */
export const nestThrottler: MemoryContestant<Record> = {
  name: '@nestjs/throttler',
  answer: 'log',
  isAsync: true,
  open({ limit, windowMs }) {
    const storage = new ThrottlerStorageService()
    return {
      ask: key => storage.increment(key, windowMs, limit, windowMs, 'default'),
      admits: record => !record.isBlocked,
      close: () => storage.onApplicationShutdown(),
    }
  },
}
