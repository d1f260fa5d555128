import type { PlanContext } from '../../core/tool.ts';
import type { BuildRequest, BuildUpdate, BuiltImage } from './build.ts';
import type { DockerLooks } from './looks.ts';
import type { PushedImage, PushRequest, PushUpdate } from './push.ts';

/** Whose call a request belongs to, and when to give up. */
export type Call = Pick<PlanContext, 'callId' | 'signal'>;

/** An image on this Engine. */
export interface LocalImage {
  /** `sha256:…` */
  id: string;
  bytes: number;
  /** Null where the Engine does not say. */
  layers: number | null;
}

/**
 * One Docker Engine. Throws HoldpointError: `unavailable` where it cannot be reached, `upstream` for a build that fails
 * (the last lines of its output in the message), `invalid_input` for what the Engine calls invalid.
 */
export interface DockerPort extends DockerLooks {
  /** The image behind a reference on this Engine; null where it has none. */
  image(reference: string, call: Call): Promise<LocalImage | null>;
  /** The image's id (`sha256:…`) behind a reference on this Engine; null where it has none. */
  imageId(reference: string, call: Call): Promise<string | null>;
  /** As imageId, but null too where there is no Engine: for what only likes to know. */
  imageIdIfReachable(reference: string, call: Call): Promise<string | null>;
  /** Sends a context and builds it. An abort of the call's signal stops the build. */
  build(request: BuildRequest, report: (update: BuildUpdate) => void, call: Call): Promise<BuiltImage>;
  /**
   * Pushes what a tag stands for to its registry. An abort of the call's signal stops the push.
   *
   * @throws HoldpointError `denied` where the registry refuses the account, `upstream` for a push that fails.
   */
  push(request: PushRequest, report: (update: PushUpdate) => void, call: Call): Promise<PushedImage>;
}

export { buildQuery } from './build.ts';
export { buildParts } from './build-parts.ts';
export { contextDigest, contextEntries, listContext, refuseMissingCopies } from './context.ts';
export { PUSH_SECONDS, withinBuildLimit, withinPushLimit } from './deadline.ts';
export { readDockerfile } from './dockerfile.ts';
export { refuseRemoteSources } from './remote.ts';
export { refuseSecretArguments } from './arguments.ts';
export { pushParts } from './push-parts.ts';
export { checkedTag, registryReference } from './references.ts';
export { containerTable, inOrder } from './containers.ts';
export { diskTable } from './disk.ts';
export { eventName, eventTable, isExec } from './events.ts';
export { imageFacts, imageName, imageTable } from './images.ts';
export { containerDetails, maskOf } from './inspect.ts';
export { logText } from './logs.ts';
export { statsTable } from './stats.ts';
export { boundedTable, tableText } from './table.ts';
export { engineTarget, found, lookTargets } from './targets.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    docker: DockerPort;
  }
}
