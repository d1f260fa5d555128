export interface BuildEntry {
  /** From the context, POSIX separators. */
  name: string;
  type: 'file' | 'folder';
  mode: number;
  bytes: Uint8Array;
}

export interface BuildRequest {
  entries: AsyncIterable<BuildEntry>;
  /** From the context. */
  dockerfile: string;
  tags: string[];
  buildArgs: Record<string, string>;
  /** A stage to stop at. */
  target: string | null;
  noCache: boolean;
}

export interface BuildUpdate {
  message: string;
  /** Steps begun, of how many known so far. */
  done: number;
  total: number;
}

export interface BuiltImage {
  /** `sha256:…` */
  id: string;
  bytes: number;
  seconds: number;
  steps: number;
  /** Steps taken from the cache. */
  cached: number;
  builder: 'buildkit' | 'classic';
}

/** The query of the Engine's build request. */
export function buildQuery({ dockerfile, tags, buildArgs, target, noCache }: Omit<BuildRequest, 'entries'>) {
  return {
    t: tags,
    dockerfile,
    ...(Object.keys(buildArgs).length === 0 ? {} : { buildargs: buildArgs }),
    ...(target === null ? {} : { target }),
    ...(noCache ? { nocache: true } : {}),
    rm: true,
    forcerm: true,
  };
}
