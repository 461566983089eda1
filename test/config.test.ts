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
