const kplus = require('cdk8s-plus-28');

exports.make = (scope, name, replicas) => new kplus.Deployment(scope, name, { replicas, containers: [{ image: `example.com/${name}`, name }] });
