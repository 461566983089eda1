// Which IP addresses a Git server may have. Decides only; the check happens in connector.ts, on the address that is really connected to.
import { BlockList, isIP } from 'node:net';

/** Which addresses may be connected to. Link-local, metadata, multicast and unspecified addresses never, unless `allow` names them. */
export interface AddressPolicy {
  /** 127.0.0.0/8 and ::1. @default false */
  readonly loopback?: boolean;
  /** RFC 1918, RFC 6598 and unique local addresses: normal for a Git server in the cluster. @default true */
  readonly private?: boolean;
  /** CIDR ranges refused besides, e.g. the API server's address. */
  readonly deny?: readonly string[];
  /** CIDR ranges allowed before anything else is looked at. */
  readonly allow?: readonly string[];
}

const never = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  // the same link-local range behind NAT64 and 6to4
  '64:ff9b::a9fe:0/112',
  '2002:a9fe::/32',
  // metadata services outside the link-local range: AWS over IPv6, Alibaba, Azure, Oracle
  'fd00:ec2::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
];
const loopback = ['127.0.0.0/8', '::1/128', '64:ff9b::7f00:0/104', '2002:7f00::/24'];
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Why an address is refused, or undefined when it may be used. */
export type AddressCheck = (address: string) => string | undefined;

/** Compiles a policy. Throws TypeError when a range is not CIDR. */
export function compileAddressPolicy(policy: AddressPolicy): AddressCheck {
  const allowed = rangeList(policy.allow ?? []);
  const refusals: readonly (readonly [BlockList, string])[] = [
    [rangeList(policy.deny ?? []), 'an address that is denied by configuration'],
    [rangeList(never), 'a link-local, metadata, multicast or unspecified address'],
    ...(policy.loopback === true ? [] : [[rangeList(loopback), 'a loopback address'] as const]),
    ...(policy.private === false ? [[rangeList(privateRanges), 'a private address'] as const] : []),
  ];
  return (address) => {
    const plain = address.replace(/%.*$/, '');
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(plain) === 0) return 'not an IP address';
    if (allowed.check(plain, family)) return undefined;
    return refusals.find(([list]) => list.check(plain, family))?.[1];
  };
}

function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    const version = isIP(network);
    if (version === 0) throw new TypeError(`"${range}" is not an IP range`);
    list.addSubnet(network, Number(prefix ?? (version === 6 ? 128 : 32)), version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
