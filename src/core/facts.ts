import type { ProgramGrammar } from './programs.ts';

/** What tools may know of the configuration without touching anything: names only, no secrets, no connections. */
export interface Facts {
  kubernetes: KubernetesFacts;
  docker: {
    /** `local` for a Unix socket or loopback address, else the host name. Matched by the policy's `dockerHosts`. */
    host: string;
  };
  github: {
    /** `owner/name` that calls mean which name no repository: the setting, else the workspace's `origin`. */
    repository?: string;
  };
  /** Host names of what is configured; matched by the policy's `hosts`. */
  monitoring: { grafana?: string; prometheus?: string; alertmanager?: string };
  /** Host name of the team's task queue, where one is configured. */
  tasks?: { host: string };
  /** The known programs of launch-process, by name. */
  programs: Readonly<Record<string, ProgramGrammar>>;
}

export interface KubernetesFacts {
  /** The kubeconfig's current context; undefined where there is no kubeconfig. */
  current?: string;
  contexts: Readonly<Record<string, KubeContext>>;
  /** Why the kubeconfig is not used: its plugins or files are not the operator's alone. */
  refused?: { reason: string; hint: string };
}

export interface KubeContext {
  /** The cluster's name in the kubeconfig. */
  cluster: string;
  /** The context's own namespace, `default` where it names none. */
  namespace: string;
}
