// placeholder until the schema is written: owned by constructs
export interface ApplicationSpec { readonly source: { readonly repoURL: string } }
export interface ApplicationStatus { readonly observedGeneration?: number }
