// Loads the kinds and schemas that objects need from the cluster of a kubeconfig, with the caller's own credentials, and validates against them.
import { createCatalogLoader } from '../cluster/catalog.ts';
import { connectionFromKubeconfig } from '../cluster/connection.ts';
import { createDiscovery } from '../cluster/discovery.ts';
import { createRestClient } from '../cluster/rest-client.ts';
import type { SynthesizedObject } from '../model/manifest.ts';
import type { KindRef } from '../model/object-ref.ts';
import { createValidator } from '../validate/create-validator.ts';
import type { ValidateObjects } from './validate.ts';

/** Validates against clusters; `defaultKubeconfigs` are used when no --kubeconfig is given. */
export function objectValidator(defaultKubeconfigs: readonly string[]): ValidateObjects {
  return async (choice, objects, namespace) => {
    const connection = await connectionFromKubeconfig(choice.kubeconfig ?? defaultKubeconfigs, choice.context);
    const client = createRestClient({ connection, userAgent: 'setpoint-cli' });
    try {
      const catalog = await createCatalogLoader(client, createDiscovery(client)).load(kindsOf(objects));
      const destinationNamespace = namespace ?? connection.namespace ?? 'default';
      const application = { namespace: destinationNamespace, name: 'validate' };
      return createValidator().validate({ objects, catalog, application, destinationNamespace }).findings;
    } finally {
      await client.close();
    }
  };
}

/** The kinds of objects that have one, each once. */
export function kindsOf(objects: readonly SynthesizedObject[]): readonly KindRef[] {
  const kinds = new Map<string, KindRef>();
  for (const { object } of objects) {
    const { apiVersion, kind } = object;
    if (typeof apiVersion === 'string' && typeof kind === 'string') kinds.set(`${apiVersion}|${kind}`, { apiVersion, kind });
  }
  return [...kinds.values()];
}
