import type { QueueContestant } from './contestant.ts'
import { halt } from './halt.ts'
import { bottleneck, flexible, queue, throttle } from './peers.ts'

/** All queues, Halt first. */
export const queues = { halt, flexible, bottleneck, throttle, queue } satisfies Record<
  string,
  QueueContestant
>

export type QueueName = keyof typeof queues
export const queueNames = Object.keys(queues) as QueueName[]

/** A queue by its name in a command. */
export function queueNamed(name: string): QueueContestant {
  if (Object.hasOwn(queues, name)) return queues[name as QueueName]
  throw new Error(`No queue is named "${name}". There are: ${queueNames.join(', ')}.`)
}
