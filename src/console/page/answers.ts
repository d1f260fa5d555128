import type { ApprovalRequest } from '../../approvals/request.ts';
import type { TimelinePage } from '../timeline.ts';
import type { RequestRow } from '../view.ts';

/** What the server answers, by route; see ../routes.ts. */
export interface Me {
  approver: string;
  how: 'link' | 'passkey';
  until: number;
  mayEnrol: boolean;
  /** Fingerprint of the passkey that this session was opened with. */
  key?: string;
  passkeys: { fingerprint: string; addedAt: string }[];
}

export interface RequestList {
  now: number;
  requests: RequestRow[];
  /** Ids of requests that were changed by hand in the store. */
  altered: string[];
}

export interface RequestDetail {
  now: number;
  request: ApprovalRequest;
  history: TimelinePage;
}

export type { ApprovalRequest, RequestRow, TimelinePage };
