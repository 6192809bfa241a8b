import { type Proxy, startProxy as start } from '../../../../tools/proxy.ts'
import type { Scene } from './scene.ts'

/** A TCP proxy that ends with its test. */
export async function startProxy(scene: Scene, target: number): Promise<Proxy> {
  const proxy = await start(target)
  scene.defer(() => proxy.stop())
  return proxy
}
