// With which flags each part of the control plane is started. Which process runs where is decided in start.ts.
import type { ProgramName } from './build.ts';

export interface PartSettings {
  readonly directory: string;
  readonly port: number;
}

/** Files in the directory of a control plane, relative to it: every part runs with that directory as its working directory. */
export const FILES = {
  certificates: 'pki',
  serving: 'pki/apiserver.crt',
  ca: 'pki/ca.crt',
  accountKey: 'pki/service-account.key',
  accountPublicKey: 'pki/service-account.pub',
  tokens: 'pki/tokens.csv',
  data: 'etcd',
  etcdSocket: 'etcd.sock:0',
  stages: 'stages.yaml',
  kubeconfig: 'kubeconfig',
  state: 'state.json',
} as const;

/** Who calls the API server: each part by its own name, so that user agents, audit and events tell them apart. */
export const USERS = ['admin', 'system:kube-controller-manager', 'system:kube-scheduler', 'kwok'] as const;
export type User = (typeof USERS)[number];

export function userKubeconfig(user: User): string {
  return user === 'admin' ? FILES.kubeconfig : `pki/${user.replace('system:', '')}.kubeconfig`;
}

export type PartName = Exclude<ProgramName, 'kubectl'>;

export function flagsOf(part: PartName, settings: PartSettings): string[] {
  switch (part) {
    case 'etcd':
      return etcdFlags();
    case 'kube-apiserver':
      return apiServerFlags(settings);
    case 'kube-controller-manager':
      return [
        `--kubeconfig=${userKubeconfig('system:kube-controller-manager')}`,
        `--service-account-private-key-file=${FILES.accountKey}`,
        `--root-ca-file=${FILES.ca}`,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--profiling=false',
      ];
    case 'kube-scheduler':
      return [
        `--kubeconfig=${userKubeconfig('system:kube-scheduler')}`,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--profiling=false',
      ];
    case 'kwok':
      return [
        `--kubeconfig=${userKubeconfig('kwok')}`,
        `--config=${FILES.stages}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=40',
        '--node-ip=127.0.0.1',
        '--cidr=10.244.0.0/16',
      ];
  }
}

/** Unix sockets instead of ports: nothing to collide with, and nobody else on the machine can connect. */
function etcdFlags(): string[] {
  return [
    `--data-dir=${FILES.data}`,
    `--listen-client-urls=unix://${FILES.etcdSocket}`,
    `--advertise-client-urls=unix://${FILES.etcdSocket}`,
    '--listen-peer-urls=unix://etcd-peer.sock:0',
    '--initial-advertise-peer-urls=unix://etcd-peer.sock:0',
    '--initial-cluster=default=unix://etcd-peer.sock:0',
    '--unsafe-no-fsync',
    '--logger=zap',
    '--log-level=warn',
    '--auto-compaction-retention=0',
    '--quota-backend-bytes=8589934592',
  ];
}

function apiServerFlags({ port }: PartSettings): string[] {
  return [
    `--etcd-servers=unix://${FILES.etcdSocket}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${FILES.certificates}`,
    '--endpoint-reconciler-type=none', // Endpoints may not hold loopback addresses
    '--authorization-mode=RBAC',
    `--token-auth-file=${FILES.tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${FILES.accountKey}`,
    `--service-account-key-file=${FILES.accountPublicKey}`,
    '--service-cluster-ip-range=10.96.0.0/12',
    '--allow-privileged=true',
    '--profiling=false',
  ];
}
