import { Application, ApplicationAccess } from '@setpoint/constructs';
import { ApiObject, App, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { repoURL, teams } from './teams.json';

interface TenantProps {
  readonly team: string;
  readonly path: string;
  readonly environment: string;
}

/** One app in one environment: its namespace, the rights of its ServiceAccount, and the Application. */
class Tenant extends Chart {
  constructor(scope: Construct, id: string, { team, path, environment }: TenantProps) {
    const name = `${team}-${environment}`;
    super(scope, id, { labels: { 'example.com/team': team } });
    const namespace = new ApiObject(this, 'namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const access = new ApplicationAccess(this, 'access', { namespace: name });
    access.node.addDependency(namespace);
    const application = new Application(this, 'application', {
      metadata: { name: team, namespace: name },
      spec: {
        source: { repoURL, path, ref: environment === 'prod' ? '^1' : 'main', inputs: { env: environment } },
        sync: { selfHeal: environment === 'prod' },
      },
    });
    application.node.addDependency(access);
  }
}

const app = new App();
for (const { name, path, environments } of teams) {
  for (const environment of environments) new Tenant(app, `${name}-${environment}`, { team: name, path, environment });
}
app.synth();
