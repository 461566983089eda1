// Flags and environment become one configuration; each bad value is one sentence.
import { describe, expect, test } from '@jest/globals';
import { type Environment, type OperatorFlags, parseConfig } from '../operator/config.ts';

function checkRefused(flags: OperatorFlags, environment: Environment, sentence: string): void {
  expect(() => parseConfig(flags, environment)).toThrow(sentence);
}

describe('the configuration of the operator', () => {
  test('without flags it uses the credentials of its Pod, serves all namespaces and follows no repository on loopback', () => {
    expect(parseConfig({}, {})).toEqual({
      apiAddress: { host: '0.0.0.0', port: 8080 },
      metricsAddress: { host: '0.0.0.0', port: 8081 },
      namespaces: [],
      logLevel: 'info',
      allowLoopbackGit: false,
    });
  });

  test('a flag wins over its variable', () => {
    const config = parseConfig(
      { apiAddress: '127.0.0.1:0' },
      { SETPOINT_API_ADDRESS: ':9', SETPOINT_LOG_LEVEL: 'debug', SETPOINT_ALLOW_LOOPBACK_GIT: 'true' },
    );
    expect(config).toMatchObject({ apiAddress: { host: '127.0.0.1', port: 0 }, logLevel: 'debug', allowLoopbackGit: true });
  });

  test('an IPv6 address stands in brackets', () => {
    expect(parseConfig({ metricsAddress: '[::1]:9090' }, {}).metricsAddress).toEqual({ host: '::1', port: 9090 });
  });

  test('namespaces are sorted and counted once', () => {
    expect(parseConfig({ namespaces: 'shop, blog,shop' }, {}).namespaces).toEqual(['blog', 'shop']);
  });

  test('L4 the times of an election are those of Kubernetes’ own controllers unless others are given', () => {
    const usual = { resourceName: 'setpoint-operator', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };
    expect(parseConfig({ leaderElect: true }, {}).leaderElection).toEqual(usual);
    const flags = { leaderElectLeaseDuration: '1m', leaderElectRetryPeriod: '500ms', leaderElectResourceNamespace: 'ops' };
    const election = { ...usual, leaseDuration: 60_000, retryPeriod: 500, resourceNamespace: 'ops' };
    expect(parseConfig(flags, { SETPOINT_LEADER_ELECT: 'true' }).leaderElection).toEqual(election);
  });

  test('nobody can change it afterwards', () => {
    const config = parseConfig({ namespaces: 'shop' }, {});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.apiAddress)).toBe(true);
    expect(Object.isFrozen(config.namespaces)).toBe(true);
  });

  test.each<[string, OperatorFlags, Environment, string]>([
    ['an address without a port', { apiAddress: 'localhost' }, {}, '--api-address is "localhost", which is not HOST:PORT'],
    ['a port that does not exist', { metricsAddress: ':70000' }, {}, '--metrics-address is ":70000", which is not HOST:PORT'],
    ['a bracketed name', { apiAddress: '[nonsense]:1' }, {}, '--api-address is "[nonsense]:1"'],
    [
      'a namespace that cannot exist',
      { namespaces: 'shop,Bad_Name' },
      {},
      '--namespaces holds "Bad_Name", which is no name of a namespace',
    ],
    ['an unknown level', {}, { SETPOINT_LOG_LEVEL: 'loud' }, 'SETPOINT_LOG_LEVEL is "loud"; it must be one of trace, debug, info'],
    ['an empty path', { kubeconfig: ' ' }, {}, '--kubeconfig is empty; leave it out or give a value'],
    ['a synth server without a key', { synthAddress: 'synth:9000' }, {}, '--synth-address is given without --synth-key-file'],
    ['a context without a kubeconfig', { context: 'kind' }, {}, '--context is given without --kubeconfig'],
    ['a duration without a unit', { leaderElectRetryPeriod: '2' }, {}, '--leader-elect-retry-period is "2"; write a duration above zero'],
    ['a lease shorter than its deadline', { leaderElectLeaseDuration: '9s' }, {}, '--leader-elect-lease-duration must be longer than'],
    [
      'a deadline without time to try twice',
      { leaderElectRetryPeriod: '9s' },
      {},
      '--leader-elect-renew-deadline must be longer than 1.2 times',
    ],
    ['a lease longer than others would believe', { leaderElectLeaseDuration: '1h' }, {}, '--leader-elect-lease-duration may be 5m at most'],
    ['a Lease that cannot exist', { leaderElectResourceName: 'A_b' }, {}, '--leader-elect-resource-name is "A_b", which is no name'],
    ['a name where an IP address is meant', { advertiseAddress: 'me' }, {}, '--advertise-address is "me", which is no IP address'],
    [
      'a switch that is neither on nor off',
      {},
      { SETPOINT_ALLOW_LOOPBACK_GIT: 'yes' },
      'SETPOINT_ALLOW_LOOPBACK_GIT is "yes"; it must be true or false',
    ],
  ])('%s is refused by name', (_, flags, environment, sentence) => {
    checkRefused(flags, environment, sentence);
  });

  test('several bad values are named together', () => {
    expect(() => parseConfig({ apiAddress: 'x', logLevel: 'y' }, {})).toThrow(/--api-address is "x".*; --log-level is "y"/);
  });
});
