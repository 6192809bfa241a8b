/** The date since which Cloudflare has published exactly these ranges. */
export const CLOUDFLARE_DATE = '2023-09-28'

/**
 * The ranges that Cloudflare connects from, 15 IPv4 and 7 IPv6. `trustedProxies: ["cloudflare"]` stands for them.
 *
 * The source is https://www.cloudflare.com/ips-v4 and https://www.cloudflare.com/ips-v6. The ranges change every few years, and
 * Cloudflare publishes a new range before it carries traffic. If a range is missing here, its visitors are counted under the
 * address of the Cloudflare server. That is unfair, but not unsafe. Until a release has the range, add it yourself:
 * `trustedProxies: ["cloudflare", "192.0.2.0/24"]`.
 */
export const CLOUDFLARE_RANGES: readonly string[] = Object.freeze([
  '173.245.48.0/20',
  '103.21.244.0/22',
  '103.22.200.0/22',
  '103.31.4.0/22',
  '141.101.64.0/18',
  '108.162.192.0/18',
  '190.93.240.0/20',
  '188.114.96.0/20',
  '197.234.240.0/22',
  '198.41.128.0/17',
  '162.158.0.0/15',
  '104.16.0.0/13',
  '104.24.0.0/14',
  '172.64.0.0/13',
  '131.0.72.0/22',
  '2400:cb00::/32',
  '2606:4700::/32',
  '2803:f800::/32',
  '2405:b500::/32',
  '2405:8100::/32',
  '2a06:98c0::/29',
  '2c0f:f248::/32',
])
