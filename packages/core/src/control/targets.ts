import { type Digest, makeDigest } from '../base/digest.ts'
import type { Warn } from '../base/warnings.ts'
import { checkPrefix } from '../request/address-key.ts'
import { type Identity, subjectOf } from '../request/identity.ts'
import type { Subject } from '../request/subject.ts'
import { readNetwork } from './act-check.ts'

/** Names clients and networks, as entries and the history do: each has one text, however it is spelled. */
export class Targets {
  readonly #digest: Digest
  readonly #ipv6Prefix: number

  /** @throws HaltError `HALT_E_SECRET`, `HALT_E_OPTION` */
  constructor(secret: string | undefined, ipv6Prefix: number | undefined, warn: Warn) {
    this.#digest = makeDigest(secret, warn)
    this.#ipv6Prefix = checkPrefix(ipv6Prefix)
  }

  /** The target of an entry that may exist. @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL` */
  of(target: Identity): string {
    return this.#named(target, readNetwork(target, false))
  }

  /**
   * The target of a new entry.
   *
   * @param force whether a network may be larger than one owner has
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   */
  ofNew(target: Identity, force: boolean | undefined): string {
    return this.#named(target, readNetwork(target, true, force))
  }

  /** The subject of a client, which is not a network. @throws HaltError `HALT_E_IDENTITY` */
  subjectOf(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#ipv6Prefix)
  }

  /** A network that is the key of one client is that client. */
  #named(target: Identity, network: string | undefined): string {
    if (network === undefined) return this.subjectOf(target)
    const own = this.subjectOf({ ip: network.slice(0, network.indexOf('/')) })
    return own === `ip:${network}` || `${own}/32` === `ip:${network}` ? own : network
  }
}
