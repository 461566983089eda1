import { App } from 'cdk8s';
import { readEnvironment } from '../../lib/environment';
import { WebService } from '../../lib/web-service';

const app = new App();
new WebService(app, 'blog', { environment: readEnvironment(), image: 'registry.example.com/blog:0.9.0', port: 8080 });
app.synth();
