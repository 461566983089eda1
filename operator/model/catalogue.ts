// Every code a person can meet in a status, an event or on the command line. docs/errors.md explains each; a test keeps both in step.

/** Codes of OperatorError. Value: when it occurs, in half a sentence. */
export const errorCodes = {
  // source
  InvalidURL: 'the repository URL is not one we fetch from',
  HostNotAllowed: 'the URL or a redirect leads to an address that is not allowed',
  RepositoryUnreachable: 'the Git server could not be reached',
  RepositoryNotFound: 'the Git server says there is no such repository',
  AuthFailed: 'the Git server refused the credentials',
  SecretNotFound: 'the Secret named by secretRef is missing or incomplete',
  RefNotFound: 'the branch, tag or commit does not exist',
  FetchFailed: 'the Git transfer broke or was not valid',
  ObjectCorrupt: 'bytes do not match their Git object id',
  UnsafePath: 'the commit holds a file name that no Git client should accept',
  RepoTooLarge: 'the repository is over a limit',
  RateLimited: 'the server asked us to slow down',
  NotFastForward: 'the branch was rewritten and requireFastForward is set',
  // synth
  SynthCrashed: 'the synth process ended without an answer',
  SynthUnavailable: 'no synth process could be reached or started',
  // cluster and apply
  ApiUnreachable: 'the API server could not be reached',
  Forbidden: 'the identity used lacks a permission',
  ImpersonationRequired: 'an operation on user objects had no identity to act as',
  ApplyRefused: 'the API server refused an object',
  AdmissionDenied: 'an admission webhook or policy denied an object',
  AdmissionUnavailable: 'an admission webhook could not be asked',
  ApplyConflict: 'an object changed while it was being applied',
  OwnershipConflict: 'another Application owns the object',
  Terminating: 'the object or its namespace is being deleted',
  HealthTimeout: 'an object did not become healthy in time',
  PruneBlocked: 'an object to prune is held by a finalizer',
  PruneGuard: 'the sync would remove too many objects',
  EmptyGuard: 'the sync would leave no object',
  InventoryCorrupt: 'the stored inventory cannot be read',
  LeaseLost: 'this operator is not, or no longer, the one that may act',
  // wiring
  InvalidConfiguration: 'a flag, environment variable or field of the operator is wrong',
  Timeout: 'a limit on time was reached',
  Internal: 'something we did not foresee',
} as const;

/** Codes of Finding. Value: what the author did. */
export const findingCodes = {
  // synth
  PathNotFound: 'the folder named by spec.source.path does not exist in the commit',
  EntryNotFound: 'the folder has neither a cdk8s.yaml, an entry file nor manifests',
  InvalidCdk8sYaml: 'cdk8s.yaml cannot be read or its app command is not understood',
  TypeScriptSyntax: 'a file cannot be parsed',
  ImportNotFound: 'an import leads to no file of the commit',
  PackageNotProvided: 'an import names a package that is not provided',
  ImportDenied: 'an import leads to a symbolic link, a submodule or outside the commit',
  LfsPointer: 'a file is a Git LFS pointer, not its content',
  SynthFailed: 'the code threw an error',
  SynthTimeout: 'the code did not end in time',
  SynthMemory: 'the code used too much memory',
  SynthOutputTooLarge: 'the code produced too much',
  NotHermetic: 'the code asked for something that is not available during synth',
  NonDeterministic: 'two runs gave different output',
  InvalidYaml: 'a manifest file cannot be parsed',
  InvalidInputs: 'spec.source.inputs does not fit',
  // validate
  InvalidObject: 'an object lacks apiVersion, kind or a name, or has a forbidden key',
  UnknownKind: 'the cluster does not know the kind',
  GroupUnavailable: 'the API group of an object does not answer',
  UnknownField: 'the schema has no such field',
  InvalidValue: 'a value does not fit the schema',
  MissingField: 'a required field is missing',
  InvalidName: 'a name, label or annotation breaks the rules of Kubernetes',
  DuplicateObject: 'two constructs declare the same object',
  GenerateName: 'generateName cannot be kept equal to Git',
  DependencyCycle: 'objects depend on each other in a circle',
  ObjectTooLarge: 'an object is larger than the API server stores',
  ServerRefused: 'the API server refused the object in a dry run',
  MutatedByAdmission: 'admission made something else of the object than Git declares',
  NoPermission: 'the ServiceAccount of the Application may not write the object',
  NamespaceNotFound: 'the namespace of the object does not exist',
  // ownership and prune
  ClaimedByAnother: 'another Application declares an object of this one',
  Protected: 'an object that left Git is protected and stays',
  LostFromInventory: 'an object is known only by its marks and stays',
} as const;

/** A code of an OperatorError. */
export type ErrorCode = keyof typeof errorCodes;
/** A code of a Finding. */
export type FindingCode = keyof typeof findingCodes;

/** Findings that are about the state of the cluster too: they may vanish without a commit, so the operator asks again. */
export const clusterFindings: ReadonlySet<string> = new Set([
  'UnknownKind',
  'GroupUnavailable',
  'ServerRefused',
  'NoPermission',
  'NamespaceNotFound',
] satisfies FindingCode[]);
