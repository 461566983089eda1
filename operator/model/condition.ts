// Kubernetes conditions (metav1.Condition) and how one replaces another.

/** Condition types on an Application. Reconciling and Stalled follow kstatus: True only while they apply. */
export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'Synced' | 'Healthy';

/** metav1.Condition. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  /** At most 32,768 characters; one sentence that names what, where and what to do next. */
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** The new conditions with `lastTransitionTime` kept where the status did not change. */
export function mergeConditions(previous: readonly Condition[], next: readonly Condition[]): readonly Condition[] {
  return next.map((condition) => {
    const before = previous.find((candidate) => candidate.type === condition.type);
    return before?.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition;
  });
}
