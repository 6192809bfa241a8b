/** Settles as a promise does, or rejects if it is still pending after `ms` milliseconds. The wait does not keep the process alive. */
export function inTime<T>(given: T | PromiseLike<T>, ms: number): Promise<Awaited<T>> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`no answer within ${ms / 1000} s`))
    const timer = setTimeout(late, ms).unref()
    Promise.resolve(given)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject)
  })
}
