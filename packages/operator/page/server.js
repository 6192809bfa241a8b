// @ts-check

/** An error that the server answers: its code, one sentence, the fix. */
class Refusal extends Error {
  /** @param {{ code: string, message: string, fix: string }} error */
  constructor({ code, message, fix }) {
    super(message)
    this.code = code
    this.fix = fix
  }
}

/**
 * Calls the server. The address leaves out the name and the password that the page's own may hold
 * (`http://me:token@host/halt/`), because a browser refuses to fetch such an address; it sends them by itself.
 *
 * @template T
 * @param {'about' | 'feed' | 'find' | 'standing' | 'act'} name @param {object} body
 * @returns {Promise<T>}
 */
export async function ask(name, body = {}) {
  const response = await fetch(new URL(`api/${name}`, location.origin + location.pathname), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-halt-operator': '1' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = await response.json().catch(() => ({ error: unknown(response.status) }))
  if (response.ok) return answer
  throw new Refusal(answer.error ?? unknown(response.status))
}

/** @param {number} status */
function unknown(status) {
  const fix = status === 401 ? 'Sign in and load the page again.' : 'Load the page again.'
  return { code: `HTTP ${status}`, message: `The server answered ${status}.`, fix }
}

/** Whether an undo was refused, because another entry stands there now. @param {unknown} error */
export function isReplaced(error) {
  return error instanceof Refusal && error.code === 'HALT_E_CONTROL_REPLACED'
}

/** The text of an error, for people. @param {unknown} error */
export function sentenceOf(error) {
  if (error instanceof Refusal) return `${error.message} ${error.fix} (${error.code})`
  return 'The application does not answer.'
}
