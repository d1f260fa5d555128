import type { Definition } from '../personas/budget.ts';
import { approvalResources } from './approval-resources.ts';
import { ledgerResource } from './ledger-resource.ts';
import { personaResource } from './persona-resource.ts';
import { policyResource } from './policy-resource.ts';
import type { ResourceSource } from './resources.ts';
import type { Services } from './services.ts';
import type { Shelf } from './skills.ts';

/** What Holdpoint says of itself to the agent: which rules bind it, who it is, what it did and what of that waits. */
export function ownResources(services: Services, shelf: Shelf, listed: readonly Definition[]): ResourceSource[] {
  return [
    policyResource(services),
    personaResource(services, shelf, listed),
    ledgerResource(services),
    approvalResources(services),
  ];
}
