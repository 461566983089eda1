// Setpoint's kinds. Their schemas are in constructs/.
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { applicationCrd, inventoryCrd } from '../constructs/crds.ts';
import type { JsonObject } from '../constructs/json-schema.ts';

/** The CustomResourceDefinitions of Application and Inventory. */
export class CustomResourceDefinitions extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.define('application', applicationCrd());
    this.define('inventory', inventoryCrd());
  }

  private define(id: string, crd: JsonObject): void {
    new ApiObject(this, id, { ...crd, apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
  }
}
