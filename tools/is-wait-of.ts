/** Whether a `Retry-After` tells a wait of so many seconds, less at most half of them, because a busy machine is slow between two requests. */
export function isWaitOf(seconds: number, told: unknown): boolean {
  return Number(told) <= seconds && Number(told) > seconds / 2
}
