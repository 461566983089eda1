// Opens connections for undici and checks the address at the moment of connecting, so that a name cannot resolve differently between check and use.
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { sourceError } from '../errors.ts';
import type { AddressCheck } from './address-policy.ts';

/** Resolves a name to all its addresses. */
export type ResolveName = (hostname: string, callback: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

/** What a connector needs. */
export interface ConnectorOptions {
  readonly check: AddressCheck;
  readonly connectMilliseconds: number;
  /** PEM: when given, the only certificates trusted. */
  readonly certificateAuthority: string | undefined;
  readonly resolve?: ResolveName | undefined;
}

/** A connector for undici that refuses addresses the policy does not allow, also when they are written in the URL. */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectMilliseconds,
    lookup: guardedLookup(options),
    ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
  });
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    const refusal = isIP(literal) === 0 ? undefined : options.check(literal);
    if (refusal !== undefined) return callback(notAllowed(target.hostname, refusal), null);
    connect(target, callback);
  };
}

function guardedLookup({ check, resolve = resolveBySystem }: ConnectorOptions): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const usable = addresses.filter(({ address }) => check(address) === undefined);
      const first = usable[0];
      if (first === undefined) return callback(notAllowed(hostname, check(addresses[0]?.address ?? '') ?? 'no address'), '');
      if (lookupOptions.all === true) return callback(null, usable);
      callback(null, first.address, first.family);
    });
  };
}

const resolveBySystem: ResolveName = (hostname, callback) => {
  systemLookup(hostname, { all: true }, (error, addresses) => callback(error, addresses ?? []));
};

function notAllowed(hostname: string, refusal: string): Error {
  return sourceError('HostNotAllowed', `connect to ${hostname}: it is ${refusal}`, {
    hint: 'use the address of a Git server, or let the operator of the cluster allow this range',
  });
}
