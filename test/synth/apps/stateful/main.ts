// Stateful parts: a StatefulSet with claims, a DaemonSet, Jobs and CronJobs, in charts that depend on each other.
import { App, Chart, Cron, Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

const app = new App();
const database = new Chart(app, 'database', { namespace: 'data' });
const claim = new kplus.PersistentVolumeClaim(database, 'claim', {
  accessModes: [kplus.PersistentVolumeAccessMode.READ_WRITE_ONCE],
  storage: Size.gibibytes(20),
  storageClassName: 'fast',
  volumeMode: kplus.PersistentVolumeMode.FILE_SYSTEM,
});
const service = new kplus.Service(database, 'service', { ports: [{ port: 5432 }], clusterIP: 'None' });
const postgres = new kplus.StatefulSet(database, 'postgres', {
  service,
  replicas: 3,
  podManagementPolicy: kplus.PodManagementPolicy.PARALLEL,
  strategy: kplus.StatefulSetUpdateStrategy.rollingUpdate({ partition: 1 }),
  containers: [
    {
      image: 'postgres:16',
      portNumber: 5432,
      envVariables: { PGDATA: kplus.EnvValue.fromValue('/data/pg') },
      volumeMounts: [{ path: '/data', volume: kplus.Volume.fromPersistentVolumeClaim(database, 'data', claim) }],
      securityContext: { ensureNonRoot: false, readOnlyRootFilesystem: false },
    },
  ],
});
postgres.scheduling.separate(postgres);

const jobs = new Chart(app, 'jobs', { namespace: 'data', labels: { kind: 'job' } });
const migrate = new kplus.Job(jobs, 'migrate', {
  backoffLimit: 3,
  activeDeadline: Duration.hours(1),
  ttlAfterFinished: Duration.days(1),
  containers: [{ image: 'registry.example.com/migrate:1' }],
  restartPolicy: kplus.RestartPolicy.ON_FAILURE,
});
new kplus.CronJob(jobs, 'backup-of-everything-that-has-a-very-long-name', {
  schedule: Cron.schedule({ minute: '15', hour: '3', weekDay: '1-5' }),
  timeZone: 'Europe/Zurich',
  concurrencyPolicy: kplus.ConcurrencyPolicy.REPLACE,
  successfulJobsRetained: 1,
  suspend: false,
  containers: [{ image: 'registry.example.com/backup:1' }],
});
new kplus.DaemonSet(jobs, 'agent', { minReadySeconds: 5, containers: [{ image: 'registry.example.com/agent:1', portNumber: 9100 }], hostNetwork: true });
jobs.addDependency(database);
migrate.node.addDependency(postgres);
app.synth();
