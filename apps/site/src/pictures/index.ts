import { algorithmsPicture } from './algorithms.ts'
import { checkPicture } from './check.ts'
import { fairSharesPicture } from './fair-shares.ts'
import { outagePicture } from './outage.ts'
import { proxiesPicture } from './proxies.ts'
import type { Colours, Picture } from './svg.ts'

/** The pictures of docs/images, by their name there. */
export const PICTURES: Readonly<Record<string, (colours: Colours) => Picture | Promise<Picture>>> = {
  algorithms: algorithmsPicture,
  check: checkPicture,
  'fair-shares': fairSharesPicture,
  outage: outagePicture,
  proxies: proxiesPicture,
}
