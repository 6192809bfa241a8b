import type { CommandSender } from './command-sender.ts'

interface Bytes {
  fill(text: string): unknown
}

const { Buffer } = globalThis as unknown as { Buffer: { from(text: string): Bytes } }

/**
 * A caller of ioredis whose calls are carried out once at most.
 *
 * ioredis sends a command again whose answer was lost, and late what it had queued. Both write the command anew from its
 * arguments, and take bytes as they are then: so the first argument of a script, its clock, is given as bytes and spoiled
 * as soon as it was written. A second copy says `x`, and the script refuses it.
 */
export function atMostOnceSender(sender: CommandSender): CommandSender {
  return {
    ...sender,
    evalsha: (sha, keys, args) =>
      spoilingClock(args, spoilableArgs => sender.evalsha(sha, keys, spoilableArgs)),
    eval: (source, keys, args) =>
      spoilingClock(args, spoilableArgs => sender.eval(source, keys, spoilableArgs)),
  }
}

function spoilingClock(
  [clock = '', ...args]: readonly string[],
  send: (args: readonly string[]) => Promise<unknown>,
): Promise<unknown> {
  // No bytes cannot be spoiled.
  const mark = Buffer.from(clock === '' ? 's' : clock)
  const reply = send([mark as unknown as string, ...args])
  mark.fill('x')
  return reply
}
