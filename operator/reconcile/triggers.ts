// What makes the operator look: changed Applications, live objects and kinds that came. (Commits ask by themselves: see the controller's subscriptions.) A trigger carries a key and a reason, never what happened.
import { pruneAnnotation, pruneDisabled, reconcileRequestedAnnotation } from '../../constructs/annotations.ts';
import { type Application, applicationKey } from '../model/application.ts';
import type { ApplicationKey } from '../model/event.ts';
import { hasStatusHealth } from '../model/kinds-with-status.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import type { ApplicationController } from './application-controller.ts';
import type { ApplicationMemory } from './application-memory.ts';
import { hasOtherAdditions } from './extra-fields.ts';
import type { OwnedObjects } from './owned-objects.ts';
import type { Parts } from './parts.ts';
import { sourceOf } from './source-of.ts';
import { noticeObject } from './suspects.ts';

/** Connects a controller with the watches. Resolves when all Applications are known. */
export async function startTriggers(
  controller: ApplicationController,
  owned: OwnedObjects,
  parts: Parts,
  signal: AbortSignal,
): Promise<void> {
  parts.observer.onChange((key, object, previous) => {
    const owner = owned.ownerOf(key);
    const memory = owner === undefined ? undefined : controller.memory(owner);
    const entry = memory?.inventory?.get(key);
    if (memory === undefined || entry === undefined) return;
    memory.health.touch(key);
    memory.added.touch(key);
    const mayHaveDrifted = noticeObject(memory, key, object);
    for (const listener of [...memory.changeListeners]) listener();
    const isNextSyncs = object === undefined ? wasWaitedFor(memory, key) : isReleased(memory, object, previous);
    if (isNextSyncs) controller.ask(memory.key, 'retry');
    else if (mayHaveDrifted) controller.ask(memory.key, 'drift');
    else if (object === undefined || hasStatusHealth(entry.ref) || hasOtherAdditions(memory, object, previous)) {
      controller.askSoon(memory.key, 'health');
    }
  });
  parts.observer.onRewound(() => controller.startOver());
  parts.applications.onRewound(() => controller.startOver());
  parts.kindChanges.onChange(() => {
    for (const application of parts.applications.list()) {
      const memory = controller.memory(applicationKey(application));
      if (memory?.kindsMayHaveChanged === true) controller.ask(memory.key, 'retry');
    }
  });
  // Before anything is written it is known whether anything may be.
  await parts.pause.start(pauseListener(controller, parts), signal);
  await parts.applications.start((key) => noticeApplication(controller, key, parts), signal);
}

/** Tells that everything is paused, or that nothing is any more, and lets every Application act accordingly. */
function pauseListener(controller: ApplicationController, parts: Parts): () => void {
  let told: string | undefined;
  return () => {
    const pause = parts.pause.current();
    const message = pause === undefined ? undefined : describeSuspension(pause, { namespace: '', name: '' });
    if (message === told) return;
    told = message;
    parts.emit({ type: 'pause', message });
    for (const application of parts.applications.list()) controller.askAboutSuspension(application);
  };
}

/** Whether an object that is gone now left Git before and was held by a finalizer. */
function wasWaitedFor(memory: ApplicationMemory, key: ObjectKey): boolean {
  const isFailed = memory.lastOutcome?.result.kind === 'failed';
  return isFailed && !memory.inFlight.has(key) && memory.accepted?.byKey.has(key) !== true;
}

/** Whether an object that left Git lost the annotation that kept it: the next sync deletes it. */
function isReleased({ accepted }: ApplicationMemory, object: ObservedObject, previous: ObservedObject | undefined): boolean {
  const isProtected = (live: ObservedObject | undefined): boolean => live?.annotations[pruneAnnotation] === pruneDisabled;
  return isProtected(previous) && !isProtected(object) && accepted?.byKey.has(object.key) === false;
}

function noticeApplication(controller: ApplicationController, key: ApplicationKey, parts: Parts): void {
  const application = parts.applications.get(key);
  const memory = controller.memory(key);
  if (application === undefined || memory?.uid !== application.uid) {
    controller.ask(key, 'start');
    return;
  }
  const suspension = suspensionOf(application, parts.pause.current());
  if (isNewRequest(application, memory)) {
    if (suspension === undefined) parts.sources.look({ spec: sourceOf(application, parts.secrets) });
    controller.ask(key, 'request');
  }
  const suspended = suspension === undefined ? '' : describeSuspension(suspension, application);
  if (suspended !== memory.suspensionTaken) controller.askAboutSuspension(application);
  const isChanged = application.generation !== memory.generationTaken;
  if (isChanged || application.deletionTimestamp !== undefined) controller.ask(key, 'spec');
}

/** Whether somebody asked by annotation for a look that has not begun yet. */
function isNewRequest(application: Application, memory: ApplicationMemory): boolean {
  const requested = application.annotations[reconcileRequestedAnnotation];
  return requested !== undefined && requested !== memory.requestTaken && requested !== application.status?.lastHandledReconcileAt;
}
