// One stream, many listeners.
import { expect, test } from '@jest/globals';
import { createEventStream } from '../../operator/events/event-stream.ts';

test('a subscriber that throws is reported and keeps no other from hearing', () => {
  const errors: unknown[] = [];
  const heard: string[] = [];
  const stream = createEventStream((error) => errors.push(error));
  stream.subscribe(() => {
    throw new Error('broken');
  });
  stream.subscribe((event) => heard.push(event.type));
  stream.emit({ type: 'application-removed', application: 'shop/web' });
  expect(heard).toEqual(['application-removed']);
  expect(errors).toEqual([new Error('broken')]);
});

test('who unsubscribed hears nothing more', () => {
  const heard: string[] = [];
  const stream = createEventStream(() => undefined);
  const stop = stream.subscribe((event) => heard.push(event.type));
  stop();
  stream.emit({ type: 'application-removed', application: 'shop/web' });
  expect(heard).toEqual([]);
});
