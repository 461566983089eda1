import { App, Chart, Include } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Database, DatabaseSpecEngine } from './imports/platform.example.com';

/** The kind itself. */
class Platform extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new Include(this, 'crd', { url: 'crds/database.yaml' });
  }
}

/** An app and its database. */
class Orders extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { labels: { app: 'orders' } });
    const database = new Database(this, 'database', {
      metadata: { name: 'orders' },
      spec: { engine: DatabaseSpecEngine.POSTGRES, version: 17, storage: '10Gi', backup: { schedule: '0 3 * * *' } },
    });
    const deployment = new kplus.Deployment(this, 'deployment', {
      metadata: { name: 'orders' },
      containers: [
        {
          image: 'registry.example.com/orders:1.4.0',
          portNumber: 8080,
          envVariables: { DATABASE: kplus.EnvValue.fromValue(database.name) },
        },
      ],
    });
    // The database is applied, and healthy, before the app that needs it.
    deployment.node.addDependency(database);
  }
}

const app = new App();
const platform = new Platform(app, 'platform');
const orders = new Orders(app, 'orders');
// The kind has to be served before an object of it can be applied.
orders.addDependency(platform);
app.synth();
