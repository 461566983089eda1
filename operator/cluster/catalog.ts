// The catalogue validation works with: kinds from discovery, schemas from OpenAPI, as one immutable value. Nothing is judged here.
import type { KindRef } from '../model/object-ref.ts';
import type { CatalogLoader } from '../reconcile/ports.ts';
import type { KindInfo, KindSchema, SchemaCatalog } from '../validate/ports.ts';
import type { Discovery, ServedKinds } from './discovery.ts';
import { createSchemaSource } from './openapi.ts';
import type { RestClient } from './rest-client.ts';

/** Loads catalogues from one cluster. */
export function createCatalogLoader(client: RestClient, discovery: Discovery): CatalogLoader {
  const source = createSchemaSource(client);
  let last: { readonly served: ServedKinds; readonly schemas: Map<string, KindSchema | undefined> } | undefined;
  return {
    async load(kinds, refresh = false) {
      let served = await discovery.served(refresh);
      if (!refresh && kinds.some((kind) => !served.byKind.has(keyOfKind(kind)))) served = await discovery.served(true);
      const known = kinds.filter((kind) => served.byKind.has(keyOfKind(kind)));
      if (refresh || last?.served !== served) last = { served, schemas: new Map() };
      const { schemas } = last;
      const missing = known.filter((kind) => !schemas.has(keyOfKind(kind)));
      if (missing.length > 0) {
        const loaded = await source.load(missing);
        for (const kind of missing) schemas.set(keyOfKind(kind), loaded.get(keyOfKind(kind)));
      }
      return catalogOf(served, new Map(schemas));
    },
  };
}

function catalogOf(served: ServedKinds, schemas: ReadonlyMap<string, KindSchema | undefined>): SchemaCatalog {
  const kinds: readonly KindInfo[] = [...served.byKind.values()];
  return {
    kind: (apiVersion, kind) => served.byKind.get(keyOfKind({ apiVersion, kind })),
    schema: (apiVersion, kind) => schemas.get(keyOfKind({ apiVersion, kind })),
    kinds: () => kinds,
    failedGroups: served.failedGroups,
  };
}

function keyOfKind(kind: KindRef): string {
  return `${kind.apiVersion}|${kind.kind}`;
}
