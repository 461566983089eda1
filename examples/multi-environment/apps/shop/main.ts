import { App } from 'cdk8s';
import { readEnvironment } from '../../lib/environment';
import { WebService } from '../../lib/web-service';

const app = new App();
new WebService(app, 'shop', {
  environment: readEnvironment(),
  image: 'registry.example.com/shop:2.3.1',
  port: 3000,
  variables: { CURRENCY: 'EUR' },
});
app.synth();
