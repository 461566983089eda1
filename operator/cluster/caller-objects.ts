// Setpoint's own objects, written with the credentials of whoever runs a command. Users' objects are in objects.ts, never here.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import { formatRef, type KindRef, type ObjectRef } from '../model/object-ref.ts';
import { refusalOf, statusOf } from './api-error.ts';
import { type Discovery, pathOf } from './discovery.ts';
import type { RestClient } from './rest-client.ts';

/** Reads and writes as the caller; refusals are OperatorErrors, absence is no error. */
export interface CallerObjects {
  /** Server-side apply, taking fields over; returns the live object. */
  apply(object: KubeObject, signal: AbortSignal): Promise<JsonObject>;
  read(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined>;
  /** Objects of all namespaces, or of one; none when the cluster does not serve the kind. */
  list(
    kind: KindRef,
    signal: AbortSignal,
    options?: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<readonly JsonObject[]>;
  /** JSON merge patch; false when the object is gone. */
  patch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<boolean>;
  /** Starts the deletion; false when there was nothing to delete. */
  delete(ref: ObjectRef, signal: AbortSignal): Promise<boolean>;
  /** The name the API server knows the caller by; undefined when it does not tell. */
  whoAmI(signal: AbortSignal): Promise<string | undefined>;
}

/** Objects of one cluster, as the client's own identity. */
export function createCallerObjects(client: RestClient, discovery: Discovery, fieldManager = 'setpoint-install'): CallerObjects {
  /** The path of an object or collection; undefined when the cluster does not serve the kind. */
  const tryPath = async (ref: KindRef & Partial<ObjectRef>): Promise<string | undefined> => {
    const kind = (await discovery.served()).byKind.get(`${ref.apiVersion}|${ref.kind}`);
    return kind && pathOf(kind, { namespace: ref.namespace ?? '', name: ref.name ?? '' });
  };
  return {
    async apply(object, signal) {
      const { namespace = '', name } = object.metadata;
      const ref = { apiVersion: object.apiVersion, kind: object.kind, namespace, name };
      const doing = `apply ${formatRef(ref)}`;
      const query = { fieldManager, force: 'true', fieldValidation: 'Strict' };
      const path = pathOf(await discovery.find(ref, doing), ref);
      return client.request({ method: 'PATCH', path, query, contentType: 'application/apply-patch+yaml', body: object, doing, signal });
    },
    async read(ref, signal) {
      const path = await tryPath(ref);
      return path === undefined
        ? undefined
        : unlessAbsent(client.request({ method: 'GET', path, doing: `read ${formatRef(ref)}`, signal }));
    },
    async list(kind, signal, { namespace = '', labelSelector } = {}) {
      const path = await tryPath({ ...kind, namespace });
      const query = labelSelector === undefined ? {} : { labelSelector };
      if (path === undefined) return [];
      const list = await unlessAbsent(client.request({ method: 'GET', path, query, doing: `list ${kind.kind}`, signal }));
      return Array.isArray(list?.['items']) ? (list['items'] as readonly JsonValue[]).filter(isJsonObject) : [];
    },
    async patch(ref, patch, signal) {
      const path = await tryPath(ref);
      if (path === undefined) return false;
      const query = { fieldManager };
      const contentType = 'application/merge-patch+json';
      const answer = client.request({ method: 'PATCH', path, query, contentType, body: patch, doing: `change ${formatRef(ref)}`, signal });
      return (await unlessAbsent(answer)) !== undefined;
    },
    async delete(ref, signal) {
      const path = await tryPath(ref);
      if (path === undefined) return false;
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' };
      return (
        (await unlessAbsent(client.request({ method: 'DELETE', path, body, doing: `delete ${formatRef(ref)}`, signal }))) !== undefined
      );
    },
    async whoAmI(signal) {
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      try {
        const { status } = await client.request({ method: 'POST', path, body: review, doing: 'ask who the caller is', signal });
        const user = isJsonObject(status) && isJsonObject(status['userInfo']) ? status['userInfo']['username'] : undefined;
        return typeof user === 'string' ? user : undefined;
      } catch (error) {
        if (refusalOf(error) !== undefined) return undefined;
        throw error;
      }
    },
  };
}

async function unlessAbsent(answer: Promise<JsonObject>): Promise<JsonObject | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
