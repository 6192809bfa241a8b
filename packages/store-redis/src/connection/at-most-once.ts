import type { CommandSender } from './command-sender.ts'

interface Bytes {
  fill(text: string): unknown
}

const { Buffer } = globalThis as unknown as { Buffer: { from(text: string): Bytes } }

/**
 * Wraps a sender of ioredis so that Redis executes each script call at most once.
 *
 * ioredis sends a command again if its reply was lost, and sends queued commands late. In both cases it encodes the
 * arguments again. So the first argument of a script, its clock, is a buffer that is overwritten as soon as the command
 * was written. Any later copy has `x` as its clock, and the script refuses it.
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
  // An empty buffer cannot be overwritten, so the placeholder s stands for the server's clock.
  const mark = Buffer.from(clock === '' ? 's' : clock)
  const reply = send([mark as unknown as string, ...args])
  mark.fill('x')
  return reply
}
