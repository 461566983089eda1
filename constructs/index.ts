// The public face of @setpoint/constructs: what code in a manifest repo may use. CRDs and operator-only names are not exported.
export { pruneAnnotation, pruneDisabled, reconcileRequestedAnnotation, trackingAnnotation, trackingLabel } from './annotations.ts';
export { Application, type ApplicationProps } from './application.ts';
export { ApplicationAccess, type ApplicationAccessProps } from './application-access.ts';
export type { ApplicationSpecProps } from './application-schema.ts';
export { type Inputs, inputs } from './inputs.ts';
export type { JsonObject, JsonValue } from './json-schema.ts';
