import type { Show } from './perform.ts'
import {
  aDeploy,
  aMinuteToo,
  aWorkerIsLost,
  type Scene,
  theLimitChanges,
  theServerIsLost,
  together,
} from './scenes.ts'

const SCENES: readonly Scene[] = [
  together,
  aMinuteToo,
  aWorkerIsLost,
  theLimitChanges,
  aDeploy,
  theServerIsLost,
]

/** Shows workers that share a limit. Resolves to true if all was as it should be. */
export async function show(options: Show, scenes: readonly Scene[] = SCENES): Promise<boolean> {
  let ok = true
  for (const scene of scenes) ok = (await scene(options)) && ok
  return ok
}
