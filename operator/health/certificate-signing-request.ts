// Health of CertificateSigningRequests.
import { conditionText, isTrue, statusOf, textAt, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Healthy when the certificate is issued. */
export const assessCertificateSigningRequest: HealthRule = (object) => {
  const refused = ['Denied', 'Failed'].map((type) => tryFindCondition(object, type)).find((condition) => condition?.status === 'True');
  if (refused !== undefined) return degraded(`is refused: ${conditionText(refused)}`);
  if (textAt(statusOf(object), 'certificate') !== '') return healthy('is issued');
  return progressing(isTrue(object, 'Approved') ? 'is approved and waits for its certificate' : 'waits for approval');
};
