// The runtime tests run on is the one the product runs on.
import { expect, test } from '@jest/globals';
import ivm from 'isolated-vm';

test("tests run on the project's own Node, whatever the machine has", () => {
  expect(process.version).toMatch(/^v24\./);
});

test('an isolate can be made inside a test', () => {
  const isolate = new ivm.Isolate({ memoryLimit: 16 });
  try {
    expect(isolate.createContextSync().evalSync('6 * 7')).toBe(42);
  } finally {
    isolate.dispose();
  }
});
