// The Application's types as they follow from its schema. Its CRD manifest is in crds.ts, its construct in application.ts.
import type { applicationSpecSchema } from './application-spec-schema.ts';
import type { applicationStatusSchema } from './application-status-schema.ts';
import type { Stored, Written } from './json-schema.ts';

/** `Application.spec` as the API server stores it: every field that has a default is there. */
export type ApplicationSpec = Stored<typeof applicationSpecSchema>;

/** `Application.spec` as a person writes it: fields with a default may be left out. */
export type ApplicationSpecProps = Written<typeof applicationSpecSchema>;

/** `Application.status`. */
export type ApplicationStatus = Stored<typeof applicationStatusSchema>;
