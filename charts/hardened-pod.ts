// The security settings both Deployments share: the `restricted` Pod Security Standard and a read-only root file system.
import { k8s } from 'cdk8s-plus-28';

/** A user id that no image gives rights to. */
const userId = 65_532;

/** securityContext of the Pod. */
export const podSecurity: k8s.PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: userId,
  runAsGroup: userId,
  fsGroup: userId,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** securityContext of the container. */
export const containerSecurity: k8s.SecurityContext = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** A volume and its mount for scratch files, because the root file system is read-only. `size` as a Kubernetes quantity. */
export function scratchVolume(name: string, mountPath: string, size: string): { volume: k8s.Volume; mount: k8s.VolumeMount } {
  return { volume: { name, emptyDir: { sizeLimit: k8s.Quantity.fromString(size) } }, mount: { name, mountPath } };
}

/** A volume and its mount for a Secret. */
export function secretVolume(
  name: string,
  secretName: string,
  mountPath: string,
  optional = false,
): { volume: k8s.Volume; mount: k8s.VolumeMount } {
  return { volume: { name, secret: { secretName, optional, defaultMode: 0o440 } }, mount: { name, mountPath, readOnly: true } };
}

/** Requests and a memory limit; no CPU limit, which would only slow synth down. */
export function resources(cpu: string, memory: string, memoryLimit: string): k8s.ResourceRequirements {
  const quantity = k8s.Quantity.fromString;
  return { requests: { cpu: quantity(cpu), memory: quantity(memory) }, limits: { memory: quantity(memoryLimit) } };
}
